import type { IssuerContext } from '../../../src/issuers/contract.ts';
import type { RequestEnd } from '../../../src/telemetry/meter.ts';
import { createData8, createData8Api } from '../../../src/issuers/data8.ts';
import type { Issuer } from '../../../src/issuers/contract.ts';
import type { Data8Api } from '../../../src/issuers/data8/api.ts';
import { data8Schema } from '../../../src/issuers/data8/options.ts';
import type { LogFields } from '../../../src/telemetry/log.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { silentMeter } from '../../../src/telemetry/meter.ts';
import { createSkippingPorts, TIMEOUT } from './skipping-ports.ts';
import type { SkippingPorts } from './skipping-ports.ts';
import { StubServer } from './stub-server.ts';

/** A Data8 client in front of a stub server. */
export interface Data8Bench {
  readonly stub: StubServer;
  readonly ports: SkippingPorts;
  readonly issuer: Issuer;
  readonly api: Data8Api;
  /** `operation end`, as it was counted. */
  readonly counted: string[];
  /** Everything that was logged, as one text. */
  readonly logged: string[];
  close(): Promise<void>;
}

export const CANARY = 'canary+S3cret/&=value~%';

export async function openData8(
  section: Readonly<Record<string, unknown>> = {},
  context: Partial<IssuerContext> = {},
): Promise<Data8Bench> {
  const stub = await StubServer.start();
  const ports = createSkippingPorts();
  stub.onHang = () => ports.expire();
  const counted: string[] = [];
  const logged: string[] = [];
  const options = data8Schema.parse({
    baseUrl: stub.url,
    tokenUrl: `${stub.url}/connect/token`,
    clientId: 'me',
    clientSecret: CANARY,
    timeout: `${TIMEOUT}ms`,
    requestsPerSecond: 1000,
    ...Object.fromEntries(
      Object.entries(section).map(([key, value]) => [
        key,
        typeof value === 'string' ? value.replace('STUB', stub.url) : value,
      ]),
    ),
  });
  const whole: IssuerContext = {
    ...ports,
    name: 'd8',
    log: listeningLog(logged),
    meter: {
      ...silentMeter,
      issuerRequest: (_issuer: string, operation: string, end: RequestEnd) => {
        counted.push(`${operation} ${end}`);
      },
    },
    ...context,
  };
  const issuer = createData8(options, whole);
  const api = createData8Api(options, whole);
  return {
    stub,
    ports,
    issuer,
    api,
    counted,
    logged,
    close: async () => {
      await issuer.close();
      api.close();
      await stub.close();
    },
  };
}

function listeningLog(lines: string[]): Log {
  const keep = (event: string, message: string, fields?: LogFields): void => {
    lines.push(JSON.stringify({ event, message, ...fields }));
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log };
  return log;
}
