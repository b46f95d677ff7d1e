import { SecretValue } from '../../src/domain/secret-value.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { arrange } from './incidents.ts';
import { resumeAll } from './incidents/operator-incidents.ts';
import type { Incident } from './incidents.ts';
import { callsAreBounded, creationsAreBounded, valuesStayInside, waitsAreKept } from './invariants/bounds.ts';
import { endsAreTold, everythingConverges } from './invariants/convergence.ts';
import { deletionsAreProven } from './invariants/deletions.ts';
import { flightsAreLeftAlone, leftoversGoSoon } from './invariants/leftovers.ts';
import { servedIsAlive } from './invariants/served.ts';
import { deliveredIsExtended, nothingIsMadeForNothing, tellsTheTruth } from './invariants/told.ts';
import { windowsAreKept } from './invariants/windows.ts';
import { generationsGoForward, intentsComeFirst } from './invariants/writes.ts';
import { mendLockOuts } from './lock-out.ts';
import { OWN_CLIENT } from './own-client.ts';
import { closed } from './sandbox.ts';
import { SimWorld } from './sim-world.ts';
import type { Entry, Violation, WorldPlan } from './world-plan.ts';
import type { MetFault } from './weather.ts';

/** How a schedule went. */
export interface Outcome {
  readonly seed: number;
  /** The same for every run of the same schedule. */
  readonly hash: string;
  readonly events: number;
  readonly violation: Violation | null;
  readonly met: readonly MetFault[];
  readonly timeline: readonly Entry[];
}

/** What to run it with. */
export interface SimulateOptions {
  /** Only these faults and incidents happen; null: all. */
  readonly keep?: ReadonlySet<string> | null;
  /** Keep a timeline for people. */
  readonly told?: boolean;
  /** The world before anything happens: for named scenarios. */
  readonly prepare?: (world: SimWorld) => void;
  /** Puts everything in order for the calm end; by default all that was ever out of it. */
  readonly heal?: (world: SimWorld) => void;
}

/** Runs a schedule to its end, or to the first thing that does not hold. */
export function simulate(
  plan: WorldPlan & { readonly incidents: readonly Incident[] },
  { keep = null, told = false, prepare = addCredentials, heal = healAll }: SimulateOptions = {},
): Promise<Outcome> {
  return closed(async () => {
    const world = new SimWorld(plan, keep);
    world.isTold = told;
    watch(world);
    const broken = (error: unknown): void => world.violate('S0', `the daemon broke: ${describe(error)}`);
    process.on('unhandledRejection', broken);
    try {
      prepare(world);
      for (const each of world.installations) each.start();
      for (const each of plan.incidents) if (keep === null || keep.has(each.id)) arrange(world, each);
      for (const each of plan.storms) world.disturb(each.from, each.to + 6 * HOUR);
      world.keepWatch();
      if (plan.isOwnClient === true) mendLockOuts(world);
      await world.run(plan.calmFrom);
      if (world.violation === null) heal(world);
      await world.run(plan.end);
      if (world.violation === null) await world.atEnd();
    } catch (error) {
      broken(error);
    } finally {
      for (const each of world.installations) each.process?.end();
      process.removeListener('unhandledRejection', broken);
    }
    return {
      seed: plan.seed,
      hash: world.trace.hash,
      events: world.time.events,
      violation: world.violation,
      met: world.weather.met,
      timeline: world.timeline,
    };
  });
}

function watch(world: SimWorld): void {
  world.watch(
    servedIsAlive(world),
    deletionsAreProven(world),
    generationsGoForward(world),
    intentsComeFirst(world),
    leftoversGoSoon(world, world.installations),
    flightsAreLeftAlone(world),
    tellsTheTruth(world),
    deliveredIsExtended(world),
    nothingIsMadeForNothing(world),
    creationsAreBounded(world),
    callsAreBounded(world),
    waitsAreKept(world),
    valuesStayInside(world, () => world.disks.map((disk) => JSON.stringify(disk.ledger.snapshot()))),
    windowsAreKept(world),
    everythingConverges(world, world.installations),
    endsAreTold(world, world.installations),
  );
}

/** Each credential has a secret that was made by hand; some of its entries hold it, as somebody put it there. */
function addCredentials(world: SimWorld): void {
  const { deliver, policy } = world.plan.config;
  for (const [clientId, vaults] of deliver) {
    world.issuer.addCredential(clientId);
    const draw = (what: string) => world.chance.draw(`${clientId} ${what}`);
    const expires = world.time.now + 2 * DAY + Math.floor(draw('life') * policy.lifetime);
    const { secretId, value } = world.addSecretByHand(clientId, expires, 10 * DAY);
    const isOwn = world.plan.isOwnClient === true && clientId === OWN_CLIENT;
    if (draw('empty') < 0.3 && !isOwn) continue;
    const named = draw('named') < 0.7 ? { secretId } : {};
    const content = SecretValue.of(JSON.stringify({ clientId, clientSecret: value, ...named }));
    for (const vault of vaults) {
      world.byHand(vault, clientId, 'put a secret there', (found) =>
        found.putForeign(clientId, { form: 'fields', content }),
      );
    }
  }
}

/** Everything that was out of order is put in order, as people would; what then does not converge is a defect. */
function healAll(world: SimWorld): void {
  world.tell('simulation', 'from now on all is well', null);
  for (const disk of world.disks) disk.isFull = false;
  for (const vault of world.vaults.values()) vault.mend();
  Object.assign(world.issuer.behaviour, { acceptDelay: 0, maxLifetime: null, cap: null, put: 'replace' });
  world.issuer.unlisted.clear();
  // an entry that could not be proven is given to rekeyd by the rule
  const { config } = world.plan;
  world.configure({ ...config, policy: { ...config.policy, initial: 'rotate' } });
  for (const each of world.installations) {
    each.machine.ahead = 0;
    each.isDown = false;
    each.process?.thaw();
    each.restart(MINUTE);
  }
  // each daemon has its own ledger, and its own pauses in it
  for (let hour = 1; hour <= 3; hour += 1) {
    for (let each = 0; each < world.installations.length; each += 1) {
      world.time.after(hour * HOUR, () => resumeAll(world, each / world.installations.length));
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
