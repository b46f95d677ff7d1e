import { errorCodes } from 'fastify';
import type { App } from './context.ts';

/**
 * Takes JSON bodies and no others. A body of no bytes is none, whatever its declared type: many clients send the header
 * with every POST. Keys that could reach a prototype are refused, not dropped (S6).
 */
export function acceptJson(app: App, limit: number): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: limit }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, body.toString(), done);
  });
  // Fastify would refuse what has no parser before it knows whether there is a body at all; it still does what is no type, such as `x`
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limit }, (request, body, done) => {
    // where there is no such path, that is what is wrong
    if (body.length === 0 || request.is404) done(null, undefined);
    else done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE());
  });
}
