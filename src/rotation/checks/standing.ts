import { heldUntil, isHeldByAnother } from '../conclude.ts';
import { earliest, hold, pass } from '../decision.ts';
import type { Check } from '../decision.ts';
import { issuerTime } from '../observation.ts';
import type { Observation } from '../observation.ts';
import { isAlive } from '../proof.ts';
import { DAY } from '../../domain/time.ts';
import type { Duration, Instant } from '../../domain/time.ts';

/** The contract's default of `renewBefore`: no rule says how early to tell of a secret that nobody rotates. */
const TIME_TO_ACT: Duration = 30 * DAY;

/** When the secret that stands in our own configuration may end: which one it is, no list tells. Null: never, or not ours. */
function endOfOwnStatic(observation: Observation): Instant | null {
  if (!observation.isOwnStatic) return null;
  const now = issuerTime(observation);
  return earliest((observation.secrets ?? []).filter((each) => isAlive(each, now)).map((each) => each.expires));
}

/** Whether the credential is there, is to be looked at, and is free to be worked on. */
export const standingChecks: readonly Check[] = [
  {
    name: 'ignored',
    look({ observation }) {
      if (observation.terms.kind !== 'ignored') return pass('no rule says to ignore it');
      return hold('the first matching rule says ignore', 'ignored', null);
    },
  },
  {
    name: 'credential-listed',
    look({ observation }) {
      if (observation.listed !== null) return pass('the issuer lists the credential');
      return hold(
        'the issuer does not list the credential',
        'credential-gone',
        'blocked',
        'make the credential again at the issuer, or take its rule away; its vault entries are left as they are',
      );
    },
  },
  {
    name: 'secrets-listed',
    look({ observation, record }) {
      const { issuerError } = observation;
      if (observation.secrets !== null) return pass(`${observation.secrets.length} secrets are listed`);
      const message = issuerError?.message ?? 'the list of secrets could not be read';
      return hold(
        message,
        issuerError?.reason ?? 'issuer-failed',
        'failing',
        'see the issuer: the list is tried again',
        record.unlisted?.retryAt ?? null,
      );
    },
  },
  {
    name: 'worked-on-elsewhere',
    look({ observation, rotations }) {
      const held = rotations.find((each) => isHeldByAnother(each, observation));
      if (held === undefined) return pass('no other process holds a rotation of it');
      const until = heldUntil(held, observation);
      return hold(`another process holds rotation ${held.id}`, 'in-flight', null, '', until);
    },
  },
  {
    name: 'lost-response',
    look({ observation, rotations }) {
      const waiting = rotations.find((each) => each.state === 'intended' && each.sentAt !== null);
      if (waiting?.sentAt == null) return pass('no creation waits for a late answer');
      const { requestLifetime, listLag } = observation.timing;
      const until = waiting.sentAt + requestLifetime + listLag + 1;
      return hold(`the creation of rotation ${waiting.id} may still land`, 'recovering', null, '', until);
    },
  },
];

/** A rule's and a person's holds on new work. Deletions of what nothing serves and running deliveries come before them. */
export const holdChecks: readonly Check[] = [
  {
    name: 'managed',
    look({ observation }) {
      if (observation.terms.kind === 'managed') return pass(`managed as ${observation.terms.name}`);
      const end = endOfOwnStatic(observation);
      if (end !== null && end - issuerTime(observation) < TIME_TO_ACT) {
        return hold(
          `rekeyd itself logs in with a secret of it, which may end at ${new Date(end).toISOString()}`,
          'expiring',
          'failing',
          'make a secret by hand and put it where `clientSecret` is read from, or let rekeyd rotate it: see docs/operations.md, Its own credential',
        );
      }
      return hold('no rule matches it', 'unmanaged', null, 'add a rule to `credentials` that matches it');
    },
  },
  {
    name: 'suspended',
    look({ observation: { terms } }) {
      if (terms.kind !== 'managed' || !terms.suspended) return pass('its rule does not suspend it');
      return hold('its rule says suspend', 'suspended', null, 'take `suspend` out of its rule');
    },
  },
];
