import type { App, HttpContext } from './context.ts';
import { addBulkRoutes } from './bulk-routes.ts';
import { addCredentialRoutes } from './credential-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { addHealthRoutes } from './health-routes.ts';
import { addLogLevelRoutes } from './log-level-routes.ts';
import { addOpenApiRoute } from './openapi.ts';
import { addOverviewRoutes } from './overview-routes.ts';
import { addRotationRoutes } from './rotation-routes.ts';
import { addStatusRoutes } from './status-routes.ts';

/** All routes. Each names in its `config` who may use it; docs/http.md lists them, and a test holds that page to it. */
export function addRoutes(app: App, context: HttpContext): void {
  addHealthRoutes(app, context);
  addStatusRoutes(app, context);
  addCredentialRoutes(app, context);
  addRotationRoutes(app, context);
  addBulkRoutes(app, context);
  addOverviewRoutes(app, context);
  addEventRoutes(app, context);
  addLogLevelRoutes(app, context);
  addOpenApiRoute(app);
}
