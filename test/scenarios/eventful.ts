import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { payloadOf, SHORT } from './short-lives.ts';
import { Stage } from './stage.ts';

/** The credentials of {@link eventful}. */
export const CLIENTS = ['well', 'empty', 'expiring', 'half-empty', 'in-grace', 'stripped', 'blocked-one'] as const;

const CHANGES: readonly string[] = ['createSecret', 'updateSecret', 'deleteSecret'];
const WRITES: readonly string[] = ['deliver', 'restoreMark'];

/** Down, with a credential for each kind of thing that a scan may find to do. */
export async function eventful(): Promise<Stage> {
  const stage = new Stage({ policy: SHORT });
  for (const clientId of ['in-grace', 'expiring']) stage.issuer.addCredential(clientId);
  await stage.start();
  await stage.pass(HOUR);
  await stage.daemon.rotate({ issuer: 'data8', clientId: 'in-grace' }, { note: null, grace: 8 * HOUR, actor: 'test' });
  await stage.pass(5 * HOUR, HOUR);
  for (const clientId of ['well', 'half-empty', 'stripped']) stage.issuer.addCredential(clientId);
  await stage.pass(HOUR + 50 * MINUTE);
  stage.crash();
  await stage.pass(85 * MINUTE);
  stage.issuer.addCredential('empty');
  stage.issuer.addCredential('blocked-one');
  stage.vault('a').putForeign('blocked-one', payloadOf('blocked-one', 'nobody knows', null));
  stage.vault('b').remove('half-empty');
  stage.vault('a').removeMark('stripped');
  return stage;
}

/** How often anything was changed at the issuer and in the vaults. */
export function countChanges(stage: Stage): { readonly issuer: number; readonly vaults: number } {
  return {
    issuer: stage.issuer.calls.filter((each) => CHANGES.includes(each.operation)).length,
    vaults: writesOf(stage).length,
  };
}

/** The entries that were written, in the order of vaults and calls. */
export function writesOf(stage: Stage): string[] {
  return [...stage.vaults.values()]
    .flatMap((vault) => vault.calls)
    .filter((each) => WRITES.includes(each.operation))
    .map((each) => String(each.entry));
}

/** The id of the oldest secret that is at the issuer now. */
export function oldestOf(stage: Stage, clientId: string): string {
  return stage.issuer.secrets(clientId)[0]?.secretId ?? 'none';
}
