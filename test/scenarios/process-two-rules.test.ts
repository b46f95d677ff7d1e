import { describe, expect, it } from 'vitest';
import { DAY, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Policy } from '../../src/config/settings.ts';
import { payloadOf, SHORT } from './short-lives.ts';
import { secretIds } from './scene.ts';
import { DEFAULT_POLICY, ruleFor, Stage } from './stage.ts';

const POLICY: Policy = {
  ...DEFAULT_POLICY,
  ...SHORT,
  initial: 'rotate',
  verify: { method: 'token', timeout: 10 * MINUTE, settle: 10 * SECOND },
};

describe('two daemons with one ledger, one of which has not read its new rules yet', () => {
  it('P6, V19: where one delivers to an entry that no rule of the other names, the grace starts anew once it is written', async () => {
    const stage = new Stage({ policy: POLICY, capabilities: { a: { readable: false } } });
    stage.issuer.addCredential('shop');
    const { secretId, value } = stage.issuer.addSecret('shop', { expires: stage.clock.now() + 30 * DAY });
    for (const name of ['a', 'b']) stage.vault(name).putForeign('shop', payloadOf('shop', value.reveal(), secretId));
    const both = stage.settings;
    const onlyB = { ...both, rules: [ruleFor(POLICY, ['b'])] };
    stage.settings = onlyB;
    await stage.start();
    await stage.pass(10 * MINUTE, MINUTE);
    expect(generationAt(stage, 'b')).toBe(1);
    await stage.stop();

    stage.issuer.behaviour.acceptDelay = 5 * MINUTE;
    stage.settings = both;
    const old = stage.open();
    const started = old.start();
    await stage.clock.settle(8);
    await started;
    await stage.pass(MINUTE, SECOND);
    expect(secretIds(stage), 'its secret is on its way').toEqual([secretId, '2', '3']);
    // a look by its own rules only sees that nothing of them serves the old secret
    stage.settings = onlyB;
    await stage.start();
    await stage.pass(MINUTE, SECOND);
    const dated = (await stage.view('shop')).secrets.find((each) => each.secretId === secretId)?.deleteAfter;
    expect(dated, 'the other dates it meanwhile').not.toBeNull();
    await passUntil(stage, () => generationAt(stage, 'a') === 2);
    const replacedAt = stage.clock.now();
    await stage.clock.until(old.stop());
    await passUntil(stage, () => !secretIds(stage).includes(secretId));
    expect(stage.clock.now()).toBeGreaterThanOrEqual(replacedAt + POLICY.grace);
  });
});

function generationAt(stage: Stage, vault: string): number | null {
  return stage.vault(vault).peek('shop')?.mark?.generation ?? null;
}

async function passUntil(stage: Stage, isSo: () => boolean): Promise<void> {
  for (let seconds = 0; !isSo(); seconds += 1) {
    if (seconds > 7200) throw new Error('it does not come about within two hours');
    await stage.pass(SECOND, SECOND);
  }
}
