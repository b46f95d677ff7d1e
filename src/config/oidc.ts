import { z } from 'zod';
import { httpUrl } from './fields.ts';
import { compilePattern } from './pattern.ts';
import type { TreeReport } from './report.ts';
import { ROLES } from './settings.ts';
import type { OidcSettings } from './settings.ts';
import type { Path } from './tree.ts';

const claim = () => z.string().min(1).max(200);

export const oidcShape = {
  issuer: httpUrl().describe('Who signs: exactly what the JWTs say in `iss`. https, or loopback.'),
  audience: claim().describe('What must stand in `aud`: a name for this rekeyd, such as `rekeyd`.'),
  jwksUrl: httpUrl()
    .nullable()
    .default(null)
    .describe("Where its keys are. `null`: where the issuer's `/.well-known/openid-configuration` says."),
  ca: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('A PEM file with the certificates to trust there. `null`: those of Node.'),
  tokenFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("A file with a token to ask for the keys with, as Kubernetes' API server wants one. `null`: none."),
  roles: z
    .array(
      z.strictObject({
        claim: claim().default('sub').describe('A claim: text, or a list of texts.'),
        match: z.string().min(1).describe('A glob for the whole of it: `*` any text, `?` any one character.'),
        role: z.enum(ROLES).describe('The role of who matches.'),
      }),
    )
    .min(1)
    .describe('Who may do what: the first that matches has it; none: refused.'),
  name: claim().default('sub').describe('The claim that names the actor, in log and history.'),
};

type Written = z.output<z.ZodObject<typeof oidcShape>>;

/** Checks what the schema cannot. @param locate makes the path that stands at a place absolute. */
export function readOidc(
  written: readonly Written[],
  locate: (at: Path, path: string) => string,
  report: TreeReport,
): OidcSettings[] {
  const issuers = new Set<string>();
  return written.map((entry, index) => {
    const at = ['http', 'oidc', index];
    if (issuers.has(entry.issuer)) report.value([...at, 'issuer'], 'another entry has this issuer');
    issuers.add(entry.issuer);
    const { search, hash } = new URL(entry.issuer);
    if (search !== '' || hash !== '') report.value([...at, 'issuer'], 'must not hold a query or a fragment');
    entry.roles.forEach(({ match }, place) => {
      const pattern = compilePattern(match);
      if ('problem' in pattern) report.value([...at, 'roles', place, 'match'], pattern.problem);
    });
    const { ca, tokenFile } = entry;
    return {
      ...entry,
      ca: ca === null ? null : locate([...at, 'ca'], ca),
      tokenFile: tokenFile === null ? null : locate([...at, 'tokenFile'], tokenFile),
    };
  });
}
