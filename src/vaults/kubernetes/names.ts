import { z } from 'zod';
import { entryNameProblem } from '../entry-name.ts';

/** Where a Secret lies. */
export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const DATA_KEY = /^[-._a-zA-Z0-9]+$/;
const LONGEST = 253;

export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const MARK_PREFIX = 'rekeyd.io/';

/**
 * Why a text cannot be the key of a label or annotation; null where it can.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
function metadataKeyProblem(key: string): string | null {
  if (key === MANAGED_BY || key.startsWith(MARK_PREFIX)) return `'${key}' is rekeyd's own mark`;
  const parts = key.split('/');
  const [prefix, name] = parts.length === 1 ? [null, key] : [parts[0] ?? '', parts.slice(1).join('/')];
  const sound = QUALIFIED_NAME.test(name) && (prefix === null || isSubdomain(prefix));
  return sound ? null : `'${key}' is no key for a label or annotation: [example.com/]name, 63 characters at most`;
}

const metadataKey = z.string().superRefine((key, context) => {
  const problem = metadataKeyProblem(key);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** What a destination may say beside vault, name and format. Values may hold placeholders, so {@link nameProblem} checks them. */
export const destinationShape = {
  namespace: z.string().min(1).optional().describe("The namespace of the Secret; default: the vault's."),
  labels: z.record(metadataKey, z.string()).optional().describe('Labels that the Secret is given at each delivery.'),
  annotations: z
    .record(metadataKey, z.string())
    .optional()
    .describe('Annotations that the Secret is given at each delivery.'),
  type: z
    .string()
    .regex(/^[A-Za-z0-9][-A-Za-z0-9._/]{0,252}$/, 'must be a type of Secret such as Opaque or example.com/oauth-client')
    .refine(
      (type) => type !== 'kubernetes.io/service-account-token',
      'Kubernetes itself fills Secrets of the type kubernetes.io/service-account-token',
    )
    .optional()
    .describe('The type of a Secret that rekeyd makes; default: Opaque. One that is there keeps its type.'),
};

const destinationSchema = z.object(destinationShape);
export type DestinationOptions = z.output<typeof destinationSchema>;

/** A destination's own settings, as the ledger or the configuration's loader hands them on. @throws never for checked ones. */
export function destinationOf(options: Readonly<Record<string, unknown>>): DestinationOptions {
  return destinationSchema.parse(options);
}

/** `NAMESPACE/NAME`, or `NAME` alone where no namespace is known. */
export function entryOf(
  name: string,
  options: Readonly<Record<string, unknown>>,
  vault?: { readonly namespace: string | null },
): string {
  if (name.includes('/')) return name;
  const namespace = typeof options['namespace'] === 'string' ? options['namespace'] : vault?.namespace;
  return namespace == null ? name : `${namespace}/${name}`;
}

/** The inverse of {@link entryOf}; null where neither the entry nor `fallback` says the namespace. */
export function placeOf(entry: string, fallback: string | null): SecretPlace | null {
  const slash = entry.indexOf('/');
  if (slash >= 0) return { namespace: entry.slice(0, slash), name: entry.slice(slash + 1) };
  return fallback === null ? null : { namespace: fallback, name: entry };
}

/** Why a Secret cannot have this name, namespace, labels or annotations; null where it can. It does not throw. */
export function nameProblem(
  name: string,
  options: Readonly<Record<string, unknown>>,
  vault?: { readonly namespace: string | null },
): string | null {
  const problem = entryNameProblem(name);
  if (problem !== null) return problem;
  const own = options['namespace'];
  if (typeof own === 'string' && name.includes('/'))
    return 'it names a namespace, and so does `namespace`: leave one out';
  const place = placeOf(entryOf(name, options, vault), null);
  if (place === null && vault !== undefined)
    return 'no namespace is given: say `namespace` at the vault or the destination';
  const secret = place?.name ?? name;
  if (!isSubdomain(secret)) {
    return `'${secret}' is no name for a Secret: lower-case letters, digits, dashes and dots, a letter or digit at both ends, ${LONGEST} characters at most`;
  }
  if (place !== null && !DNS_LABEL.test(place.namespace)) {
    return `'${place.namespace}' is no namespace: lower-case letters, digits and dashes, 63 characters at most`;
  }
  return metadataProblem(options);
}

/** Why a text cannot be a key of a Secret's data; null where it can. */
export function dataKeyProblem(key: string): string | null {
  if (!DATA_KEY.test(key) || key.length > LONGEST || key === '.' || key.startsWith('..')) {
    return `'${key}' is no key for a Secret: letters, digits, dashes, dots and underscores, ${LONGEST} characters at most`;
  }
  return null;
}

/** Why a Secret cannot have fields of these names; null where it can. */
export function fieldsProblem(names: readonly string[]): string | null {
  return names.map(dataKeyProblem).find((problem) => problem !== null) ?? null;
}

function metadataProblem(options: Readonly<Record<string, unknown>>): string | null {
  const parsed = destinationSchema.safeParse(options);
  if (!parsed.success) return parsed.error.issues.map((issue) => issue.message).join('; ');
  const bad = Object.entries(parsed.data.labels ?? {}).find(([, value]) => value !== '' && !QUALIFIED_NAME.test(value));
  return bad === undefined
    ? null
    : `the label ${bad[0]} cannot be '${bad[1]}': letters, digits, dashes, dots and underscores, 63 characters at most`;
}

function isSubdomain(text: string): boolean {
  return text.length <= LONGEST && DNS_SUBDOMAIN.test(text);
}
