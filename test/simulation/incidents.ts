import { LedgerError } from '../../src/domain/errors.ts';
import { SecretValue } from '../../src/domain/secret-value.ts';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import type { Duration, Instant } from '../../src/domain/time.ts';
import type { Daemon } from '../../src/daemon/api.ts';
import { Refusal } from '../../src/daemon/api.ts';
import { latest } from '../fakes/memory-issuer-history.ts';
import type { SimConfig } from './sim-config.ts';
import type { SimWorld } from './sim-world.ts';

/** Something that happens to the world at a time, but for what calls meet. */
export interface Incident {
  readonly id: string;
  readonly at: Instant;
  readonly kind: IncidentKind;
}

/** How long something that a person did may keep a daemon from its work. */
const AFTERMATH = 6 * HOUR;

type Act = (world: SimWorld, draw: (what: string) => number) => void;

/** One of them, by a number in [0, 1). */
function one<T>(from: readonly T[], drawn: number): T | undefined {
  return from[Math.floor(drawn * from.length)];
}

function anyPlace(world: SimWorld, drawn: number): { vault: string; entry: string } | null {
  const places = [...world.truth.serving].filter(([, { secretId }]) => secretId !== null).map(([place]) => place);
  const place = one(places.sort(), drawn);
  if (place === undefined) return null;
  const [vault = '', entry = ''] = place.split('/');
  return { vault, entry };
}

function anyClient(world: SimWorld, drawn: number): string {
  return one([...world.plan.config.deliver.keys()], drawn) ?? 'none';
}

/** A person asks a daemon that runs for something; what it refuses is no matter here. */
function ask(world: SimWorld, drawn: number, what: string, request: (daemon: Daemon) => Promise<unknown>): void {
  const running = world.installations.filter((each) => each.isRunning && each.process?.isFrozen === false);
  const asked = one(running, drawn);
  if (asked?.daemon == null) return;
  world.tell('people', what, asked.process?.id);
  request(asked.daemon).catch((error: unknown) => {
    if (!(error instanceof Refusal || error instanceof LedgerError)) throw error;
  });
}

/** Writes a new configuration, which the daemons have from their restarts within the next hours. */
function reconfigure(
  world: SimWorld,
  what: string,
  draw: (what: string) => number,
  edit: (config: SimConfig) => SimConfig,
): void {
  world.configure(edit(world.config));
  world.tell('people', `configure: ${what}`, null);
  world.disturb(world.time.now, world.time.now + AFTERMATH);
  for (const installation of world.installations) {
    const delay = Math.floor(draw(`restart ${installation.machine.name}`) * 2 * HOUR);
    world.time.after(delay, () => installation.restart(MINUTE));
  }
}

function outage(world: SimWorld, duration: Duration, begin: () => void, end: () => void): void {
  begin();
  world.disturb(world.time.now, world.time.now + duration + AFTERMATH);
  world.time.after(duration, end);
}

/** How long something lasts: mostly hours, now and then days. */
function howLong(drawn: number): Duration {
  return drawn < 0.7 ? Math.floor(drawn * 8 * HOUR) + 10 * MINUTE : Math.floor((drawn - 0.6) * 10 * DAY);
}

/** All that people and bad luck do. */
export const INCIDENTS = {
  'vault is down': (world, draw) => {
    const vault = one([...world.vaults.values()], draw('which'));
    if (vault === undefined) return;
    const isDenied = draw('denied') < 0.3;
    let lift = (): void => undefined;
    world.tell('world', `${vault.name} ${isDenied ? 'denies' : 'is down'}`, null);
    outage(
      world,
      howLong(draw('long')),
      () => (lift = isDenied ? vault.deny() : vault.goDown()),
      () => lift(),
    );
  },
  'disk is full': (world, draw) => {
    const disk = one(world.disks, draw('which'));
    if (disk === undefined) return;
    world.tell('world', `${disk.name} is full`, null);
    outage(
      world,
      Math.floor(draw('long') * 12 * HOUR),
      () => (disk.isFull = true),
      () => (disk.isFull = false),
    );
  },
  'machine is down': (world, draw) => {
    const installation = one(world.installations, draw('which'));
    if (installation === undefined) return;
    world.tell('world', `${installation.machine.name} is down`, null);
    outage(
      world,
      howLong(draw('long')),
      () => {
        installation.isDown = true;
        installation.crash(MINUTE);
      },
      () => {
        installation.isDown = false;
        installation.start();
      },
    );
  },
  killed: (world, draw) => {
    const process = one(world.installations, draw('which'))?.process ?? null;
    if (process !== null) world.crash(process);
  },
  restarted: (world, draw) => {
    world.tell('people', 'restart a daemon', null);
    one(world.installations, draw('which'))?.restart(Math.floor(draw('long') * HOUR));
  },
  'ledger is lost': (world, draw) => {
    const disk = one(world.disks, draw('which'));
    if (disk === undefined) return;
    world.tell('world', `${disk.name} is lost`, null);
    world.note('ledger lost');
    world.disturb(world.time.now, world.time.now + 2 * DAY);
    swapLedger(world, disk.name, () => disk.lose());
  },
  'ledger is copied': (world, draw) => one(world.disks, draw('which'))?.backUp(),
  'ledger is restored': (world, draw) => {
    const disk = one(world.disks, draw('which'));
    if (disk === undefined || disk.copies.length === 0) return;
    world.tell('people', `restore an old copy of ${disk.name}`, null);
    world.note('ledger lost');
    world.disturb(world.time.now, world.time.now + 2 * DAY);
    swapLedger(world, disk.name, () => void disk.restore(Math.floor(draw('age') * 5)));
  },
  'clock jumps': (world, draw) => {
    const machine = one(world.installations, draw('which'))?.machine;
    if (machine === undefined) return;
    const jump = (draw('far') - 0.5) * (draw('much') < 0.5 ? 2 * MINUTE : 2 * DAY);
    world.tell('world', `the clock of ${machine.name} jumps`, jump);
    world.disturb(world.time.now, world.time.now + 2 * DAY);
    machine.ahead += Math.floor(jump);
    // whoever keeps the clocks right sees it some hours later
    world.time.after(Math.floor(draw('long') * 12 * HOUR), () => {
      machine.ahead = 0;
      world.tell('world', `the clock of ${machine.name} is right again`, null);
    });
  },
  'rolled back': (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null || !hasOlder(world, place)) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    world.byHand(place.vault, place.entry, 'roll a value back', (vault) => vault.rollBack(place.entry));
  },
  edited: (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    const content = SecretValue.of('{"clientSecret":"typed by hand"}');
    world.byHand(place.vault, place.entry, 'edit a value', (vault) =>
      vault.editByHand(place.entry, { form: 'fields', content }),
    );
  },
  emptied: (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    if (draw('how') < 0.5)
      world.byHand(place.vault, place.entry, 'empty an entry', (vault) => vault.makeEmpty(place.entry));
    else world.byHand(place.vault, place.entry, 'delete an entry', (vault) => vault.remove(place.entry));
  },
  unmarked: (world, draw) => {
    const place = anyPlace(world, draw('which'));
    if (place === null) return;
    world.byHand(place.vault, place.entry, 'strip a mark', (vault) => vault.removeMark(place.entry));
  },
  'secret deleted by hand': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const secretId = one(world.truth.alive(clientId), draw('which'));
    if (secretId === undefined) return;
    world.disturb(world.time.now, world.time.now + AFTERMATH);
    world.removeSecretByHand(clientId, secretId);
  },
  'secret made by hand': (world, draw) => {
    world.tell('people', 'make a secret at the issuer', null);
    world.addSecretByHand(anyClient(world, draw('client')), world.time.now + Math.floor(draw('life') * 10 * DAY), 0);
  },
  'marker removed': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const secretId = one(world.truth.alive(clientId), draw('which'));
    const secret = secretId === undefined ? null : world.issuer.find(clientId, secretId);
    if (secret === null) return;
    world.tell('people', 'take a marker off a description', `${clientId}/${secret.secretId}`);
    world.note(`unmarked ${clientId}`);
    const { description } = latest(secret.versions);
    const edited = draw('how') < 0.5 ? 'by hand' : description.slice(0, -5);
    world.issuer.editSecret(clientId, secret.secretId, { description: edited });
  },
  'destination removed': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const places = world.config.deliver.get(clientId) ?? [];
    const gone = one(places, draw('which'));
    if (places.length < 2 || gone === undefined) return;
    reconfigure(world, `${clientId} is not delivered to ${gone} any more`, draw, (config) => ({
      ...config,
      deliver: new Map([...config.deliver, [clientId, places.filter((each) => each !== gone)]]),
    }));
  },
  'destination added': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const places = world.config.deliver.get(clientId) ?? [];
    const more = one(
      world.config.vaults.filter((each) => !places.includes(each)),
      draw('which'),
    );
    if (more === undefined || !world.config.deliver.has(clientId)) return;
    reconfigure(world, `${clientId} is delivered to ${more}, too`, draw, (config) => ({
      ...config,
      deliver: new Map([...config.deliver, [clientId, [...places, more]]]),
    }));
  },
  'rule removed': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    if (!world.config.deliver.has(clientId)) return;
    reconfigure(world, `no rule for ${clientId}`, draw, (config) => ({
      ...config,
      deliver: new Map([...config.deliver].filter(([each]) => each !== clientId)),
    }));
    world.disturb(world.time.now, world.time.now + 3 * DAY);
    world.time.after(Math.floor(draw('long') * 3 * DAY), () => {
      const places = world.plan.config.deliver.get(clientId) ?? [];
      reconfigure(world, `the rule for ${clientId} is back`, draw, (config) => ({
        ...config,
        deliver: new Map([...config.deliver, [clientId, places]]),
      }));
    });
  },
  'grace changed': (world, draw) => {
    const grace = Math.floor((0.2 + draw('long')) * world.plan.config.policy.grace);
    reconfigure(world, 'another grace', draw, (config) => ({ ...config, policy: { ...config.policy, grace } }));
  },
  'mode changed': (world, draw) => {
    const mode = draw('which') < 0.5 ? 'observe' : 'no-delete';
    const duration = Math.floor(draw('long') * DAY);
    reconfigure(world, `mode ${mode}`, draw, (config) => ({ ...config, mode }));
    world.disturb(world.time.now, world.time.now + duration + AFTERMATH);
    world.time.after(duration, () =>
      reconfigure(world, 'mode active', draw, (config) => ({ ...config, mode: 'active' })),
    );
  },
  'rotated by hand': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const grace = draw('grace') < 0.3 ? HOUR : null;
    if (grace !== null) world.note(`retired ${clientId}`);
    ask(world, draw('whom'), `rotate ${clientId}`, (daemon) =>
      daemon.rotate({ issuer: 'data8', clientId }, { note: null, grace, actor: 'somebody' }),
    );
  },
  'retired by hand': (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    world.note(`retired ${clientId}`);
    ask(world, draw('whom'), `retire what ${clientId} replaced`, async (daemon) => {
      const { items } = await daemon.rotations({ issuer: 'data8', clientId, state: 'grace' }, 1, null);
      const [rotation] = items;
      if (rotation !== undefined) await daemon.retire(rotation.id, 'somebody');
    });
  },
  paused: (world, draw) => {
    const clientId = anyClient(world, draw('client'));
    const key = draw('all') < 0.3 ? null : { issuer: 'data8', clientId };
    const duration = Math.floor(draw('long') * 2 * DAY);
    world.disturb(world.time.now, world.time.now + duration + AFTERMATH);
    const until = draw('end') < 0.5 ? world.time.now + duration : null;
    ask(world, draw('whom'), `pause ${key === null ? 'all' : clientId}`, (daemon) =>
      daemon.pause(key, { until, note: null, actor: 'somebody' }),
    );
    if (until !== null) return;
    world.time.after(duration, () => resumeAll(world, draw('resumer')));
  },
  'late acceptance': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer accepts new secrets late', null);
    const delay = Math.floor(draw('delay') * 15 * MINUTE);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.acceptDelay = delay),
      () => (behaviour.acceptDelay = 0),
    );
  },
  'short lifetimes': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer gives short lifetimes', null);
    const most = Math.floor((0.02 + draw('life')) * world.plan.config.policy.lifetime);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.maxLifetime = most),
      () => (behaviour.maxLifetime = null),
    );
    world.disturb(world.time.now, world.time.now + 4 * DAY);
  },
  'put is ignored': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer ignores PUT', null);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.put = 'ignore'),
      () => (behaviour.put = 'replace'),
    );
  },
  'cap at the issuer': (world, draw) => {
    const { behaviour } = world.issuer;
    world.tell('world', 'the issuer has a cap on secrets', null);
    const cap = 2 + Math.floor(draw('cap') * 3);
    outage(
      world,
      howLong(draw('long')),
      () => (behaviour.cap = cap),
      () => (behaviour.cap = null),
    );
  },
} satisfies Record<string, Act>;

export type IncidentKind = keyof typeof INCIDENTS;
export const INCIDENT_KINDS = Object.keys(INCIDENTS) as IncidentKind[];

/** Lets an incident happen at its time. Its draws are its own, so that leaving another out does not move it. */
export function arrange(world: SimWorld, incident: Incident): void {
  world.time.at(incident.at, () => {
    const act: Act = INCIDENTS[incident.kind];
    act(world, (what) => world.chance.draw(`${incident.id} ${what}`));
  });
}

/** Everything that was paused goes on. */
export function resumeAll(world: SimWorld, drawn: number): void {
  ask(world, drawn, 'resume all', async (daemon) => {
    await daemon.resume(null, 'somebody');
    for (const clientId of world.plan.config.deliver.keys()) {
      await daemon.resume({ issuer: 'data8', clientId }, 'somebody');
    }
  });
}

function hasOlder(world: SimWorld, { vault, entry }: { vault: string; entry: string }): boolean {
  const found = world.vaults.get(vault);
  const present = found?.peek(entry)?.payload ?? null;
  if (found === undefined || present === null) return false;
  return found.history(entry).some(({ payload }) => payload !== null && !payload.content.equals(present.content));
}

function swapLedger(world: SimWorld, disk: string, swap: () => void): void {
  const users = world.installations.filter((each) => each.disk.name === disk);
  for (const each of users) each.crash(10 * MINUTE);
  swap();
}
