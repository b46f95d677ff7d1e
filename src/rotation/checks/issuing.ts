import { hold, pass } from '../decision.ts';
import type { Check, Situation } from '../decision.ts';
import { liveSecrets } from '../limits.ts';
import { aheadOf, healthOf, needOf } from '../need.ts';
import { issuerTime, UNNAMED } from '../observation.ts';
import { goesAhead, isForced, queuedOf } from '../queued.ts';
import { birthOrNull, longestRotation } from '../renewal.ts';
import { wantedStart } from '../windows.ts';
import { clockProblem } from './clock.ts';
import { FORCEABLE } from './limits.ts';
import { windowsCheck } from './windows.ts';

/** Whether a new secret is wanted, then whether it may be made: each gate names what it waits for. */
export const issuingChecks: readonly Check[] = [
  {
    name: 'need',
    look(situation) {
      const need = needOf(situation);
      if (need !== null) return pass(`a new secret is wanted: ${need.reason}${need.urgent ? ', urgently' : ''}`);
      const ahead = aheadOf(situation);
      const served = ahead?.health === 'unsure' ? ahead.secretId : situation.record.current?.secretId;
      const isUnsure = ahead?.health === 'unsure' || healthOf(situation) === 'unsure';
      const known = situation.record.secrets.find((each) => each.secretId === served);
      // of an adopted entry that does not name its secret, no list tells
      const inDoubt = isUnsure ? known?.secretId : UNNAMED;
      if (inDoubt !== undefined && situation.observation.unasked.has(inDoubt)) {
        const saw = 'no list tells of a served secret, and whether its value is accepted could not be asked';
        return hold(saw, 'settling', 'failing', 'see the vault and the token endpoint: they are asked again');
      }
      if (isUnsure) {
        const until = (known?.missingSince ?? situation.observation.now) + situation.observation.timing.listLag;
        return hold(
          'the served secret is not listed; that is believed after another list',
          'settling',
          null,
          '',
          until,
        );
      }
      const down = situation.observation.destinations.find(
        (each) => each.format !== null && each.sight.state === 'unreachable',
      );
      if (down !== undefined) {
        const saw = `${down.vault} ${down.entry} could not be read`;
        return hold(saw, 'vault-failed', 'failing', 'see the vault: it is tried again');
      }
      return hold('nothing is due', 'up-to-date', null, '', situation.record.renewAt);
    },
  },
  gate('clock', ({ observation }) => {
    const problem = clockProblem(observation);
    return problem === null
      ? null
      : hold(problem, 'clock-skew', 'blocked', 'set the clock of this machine or the issuer');
  }),
  gate('a-vault-answers', ({ observation }) => {
    const present = observation.destinations.filter((each) => each.format !== null);
    if (present.some((each) => each.sight.state !== 'unreachable')) return null;
    return hold('no destination could be read', 'vault-failed', 'failing', 'see the vaults: they are tried again');
  }),
  gate('backoff', (situation) => {
    const { retryAt, lastError } = situation.record;
    if (retryAt === null || retryAt <= situation.observation.now || queuedOf(situation) !== null) return null;
    return hold(`the last attempt failed: ${lastError ?? 'unknown'}`, 'backoff', 'failing', '', retryAt);
  }),
  gate('token-endpoint', ({ observation }) => {
    if (!observation.circumstances.issuerSilent) return null;
    return hold('the token endpoint does not answer', 'issuer-failed', 'failing', 'see the issuer');
  }),
  gate('young-unknown', (situation) => {
    const { observation, record, rotations } = situation;
    if (observation.terms.kind !== 'managed' || needOf(situation)?.urgent === true) return null;
    const longest = longestRotation(observation.terms.policy, observation.timing.requestLifetime);
    const now = issuerTime(observation);
    const young = record.secrets.find((each) => {
      const birth = birthOrNull(each.rotationId);
      const ours = each.role === 'pending' || each.role === 'orphan';
      const unknown = ours && !rotations.some((rotation) => rotation.id === each.rotationId);
      return unknown && birth !== null && now - birth < longest;
    });
    if (young === undefined) return null;
    const until = (birthOrNull(young.rotationId) ?? now) + longest - (observation.skew ?? 0);
    const saw = `secret ${young.secretId} carries our mark, is young and unknown: another replica may be at it`;
    return hold(saw, 'unknown-secret', null, '', until);
  }),
  gate('cap', (situation) => {
    const { observation } = situation;
    const urgent = needOf(situation)?.urgent === true;
    const live = liveSecrets(observation);
    const cap = observation.limits.maxLiveSecrets + (urgent ? 1 : 0);
    if (live < cap) return null;
    return hold(
      `${live} live secrets, at most ${cap}`,
      'cap-reached',
      'blocked',
      'delete secrets that nobody uses, or raise `limits.maxLiveSecrets`',
    );
  }),
  gate('budget', (situation) => (isForced(queuedOf(situation)) ? null : FORCEABLE.budget(situation))),
  gate('breaker', (situation) => (goesAhead(queuedOf(situation)) ? null : FORCEABLE.breaker(situation))),
  windowsCheck,
  gate('pace', (situation) => (goesAhead(queuedOf(situation)) ? null : FORCEABLE.pace(situation))),
  {
    name: 'issue',
    look(situation) {
      const need = needOf(situation);
      if (need === null) return pass('nothing is due');
      const queued = queuedOf(situation);
      const reason = queued !== null ? queued.reason : need.reason;
      const outsideWindows = wantedStart(situation)?.inWindow === false;
      return {
        saw: outsideWindows ? 'nothing holds it back; its windows are shut' : 'nothing holds it back',
        decision: { action: 'issue', reason, urgent: need.urgent, queued, outsideWindows },
      };
    },
  },
];

/** A gate: null lets pass. What was wanted is kept, so that the state can say `due`. */
function gate(name: string, look: (situation: Situation) => ReturnType<typeof hold> | null): Check {
  return {
    name,
    look(situation) {
      const verdict = look(situation);
      if (verdict?.decision?.action !== 'none') return pass('nothing in the way');
      return { ...verdict, decision: { ...verdict.decision, wanted: needOf(situation)?.reason ?? null } };
    },
  };
}
