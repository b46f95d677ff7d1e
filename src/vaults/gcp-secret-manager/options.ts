import { z } from 'zod';
import { httpUrl } from '../../config/fields.ts';

const KMS_KEY = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;
const LOCATION = '{location}';

/** The host of the API, without a path: the client puts its own behind it. */
function hostUrl() {
  return httpUrl().superRefine((text, context) => {
    if (!URL.canParse(text)) return;
    const url = new URL(text);
    if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
      context.addIssue({ code: 'custom', message: 'must be a host alone, without path, query and fragment' });
    }
  });
}

/** The section `vaults.NAME` of the configuration for type `gcp-secret-manager`. */
export const gcpSchema = z
  .strictObject({
    project: z
      .string()
      .regex(/^(?:[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{1,19})$/, 'must be the id or the number of a project')
      .describe('The project that holds the secrets: its id, or its number.'),
    keyFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('A credentials file of Google (service account, federation); null: application default credentials.'),
    endpoint: hostUrl()
      .nullable()
      .default(null)
      .describe('Where the API is, if not at secretmanager.googleapis.com: https, or http to this machine itself.'),
    locations: z
      .array(z.string().regex(/^[a-z]+(?:-[a-z]+)*\d*$/, 'must be the name of a location such as europe-west2'))
      .min(1, 'must name a location, or be left out')
      .nullable()
      .default(null)
      .describe('Where secrets that rekeyd makes are stored; null: Google decides (automatic replication).'),
    kmsKey: z
      .string()
      .regex(KMS_KEY, 'must be projects/P/locations/L/keyRings/R/cryptoKeys/K')
      .nullable()
      .default(null)
      .describe('Your own KMS key for secrets that rekeyd makes; `{location}` in it stands for each of `locations`.'),
  })
  .superRefine(({ kmsKey, locations }, context) => {
    const problem = kmsKey === null ? null : keyProblem(kmsKey, locations);
    if (problem !== null) context.addIssue({ code: 'custom', path: ['kmsKey'], message: problem });
  });

export type GcpOptions = z.output<typeof gcpSchema>;

/** https://docs.cloud.google.com/secret-manager/docs/cmek: the key is where the copy is. */
function keyProblem(kmsKey: string, locations: readonly string[] | null): string | null {
  if (locations === null) {
    return kmsKey.includes('/locations/global/') ? null : 'automatic replication takes a key in the location global';
  }
  const wrong = locations.find((location) => !keyIn(kmsKey, location).includes(`/locations/${location}/`));
  return wrong === undefined
    ? null
    : `the copy in ${wrong} takes a key in ${wrong}: write ${LOCATION} for its location`;
}

function keyIn(kmsKey: string, location: string): string {
  return kmsKey.replace(LOCATION, location);
}

/** How a secret that is made is replicated, in the API's terms. It cannot be changed afterwards. */
export function replicationOf({ locations, kmsKey }: Pick<GcpOptions, 'locations' | 'kmsKey'>) {
  const encryption = (key: string) => ({ customerManagedEncryption: { kmsKeyName: key } });
  if (locations === null) return { automatic: kmsKey === null ? {} : encryption(kmsKey) };
  const replicas = locations.map((location) => ({
    location,
    ...(kmsKey === null ? {} : encryption(keyIn(kmsKey, location))),
  }));
  return { userManaged: { replicas } };
}
