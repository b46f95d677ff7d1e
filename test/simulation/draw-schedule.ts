import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Windows } from '../../src/domain/windows.ts';
import { windowsOf } from '../fakes/windows.ts';
import { DEFAULT_POLICY } from '../scenarios/stage.ts';
import { Chance } from './chance.ts';
import { INCIDENT_KINDS, LATER_KINDS } from './incidents.ts';
import type { Incident, IncidentKind } from './incidents.ts';
import { OWN_VAULT } from './own-client.ts';
import { LIMITS } from './sim-config.ts';
import type { SimConfig } from './sim-config.ts';
import type { WorldPlan } from './world-plan.ts';
import { FAULTS } from './weather.ts';
import type { Fault, Rates, Storm } from './weather.ts';

/** A whole schedule: the world, and what happens in it. */
export interface Schedule extends WorldPlan {
  readonly incidents: readonly Incident[];
}

const START = Date.UTC(2030, 0, 1);

/** How large a schedule is. The last days are calm: whatever can converge does. */
interface Size {
  readonly days: number;
  readonly calm: number;
  readonly clients: number;
  readonly lifetime: readonly [number, number];
  readonly incidents: number;
}
const SMALL: Size = { days: 10, calm: 4, clients: 1, lifetime: [4, 6], incidents: 10 };
const MEDIUM: Size = { days: 16, calm: 6, clients: 2, lifetime: [5, 8], incidents: 16 };
const FULL: Size = { days: 30, calm: 8, clients: 3, lifetime: [6, 14], incidents: 24 };

/** Most are small, so that many are tried; what needs several credentials or much time comes up in the others. */
function drawSize(chance: Chance): Size {
  const drawn = chance.draw('size');
  if (drawn < 0.6) return SMALL;
  return drawn < 0.9 ? MEDIUM : FULL;
}

const CLIENTS = ['c0', 'c1', 'c2'] as const;
const VAULTS = ['a', 'b', 'c'] as const;

/** Draws a schedule: of ten, sixteen or thirty days. The same seed gives the same schedule. */
export function drawSchedule(seed: number): Schedule {
  const chance = new Chance(seed);
  return draw(chance, drawSize(chance));
}

/** Draws one of full size: thirty days, three credentials, three vaults. */
export function drawFullSchedule(seed: number): Schedule {
  return draw(new Chance(seed), FULL);
}

function draw(chance: Chance, size: Size): Schedule {
  const { seed } = chance;
  const end = START + size.days * DAY;
  const calmFrom = end - size.calm * DAY;
  const config = drawConfig(chance, size);
  const count = chance.pick('daemons', [1, 1, 2, 2, 2, 3]);
  const isShared = chance.chance('shared', 0.5);
  const machines = Array.from({ length: count }, (_, index) => ({
    ahead: chance.chance(`skew d${index}`, 0.3) ? chance.integer(`ahead d${index}`, -3 * MINUTE, 3 * MINUTE) : 0,
    disk: isShared ? 0 : index === 2 ? chance.pick('third', [0, 2]) : index,
  }));
  const isOwnClient = chance.chance('own client', 0.1);
  const disks = [...new Set(machines.map((each) => each.disk))];
  return {
    seed,
    start: START,
    calmFrom,
    end,
    config,
    isOwnClient,
    vaults: VAULTS.map((name) => ({
      name,
      capabilities: {
        compareAndSet: !chance.chance(`no compare-and-set ${name}`, 0.25),
        readable: (isOwnClient && name === OWN_VAULT) || !chance.chance(`not readable ${name}`, 0.15),
      },
    })),
    machines: machines.map((each) => ({ ...each, disk: disks.indexOf(each.disk) })),
    rates: drawRates(chance, 'fair', chance.pick('fair weather', [0, 0.002, 0.006])),
    storms: drawStorms(chance, calmFrom),
    incidents: drawIncidents(chance, size, calmFrom),
  };
}

function drawConfig(chance: Chance, { clients, lifetime: [least, most] }: Size): SimConfig {
  const lifetime = chance.integer('lifetime', least, most) * DAY;
  const renewBefore = Math.floor(lifetime * (0.3 + 0.2 * chance.draw('renewBefore')));
  return {
    mode: 'active',
    scanHours: 6,
    resync: chance.pick('resync', [12, 24]) * HOUR,
    policy: {
      ...DEFAULT_POLICY,
      lifetime,
      renewBefore,
      grace: Math.floor(renewBefore * (0.2 + 0.3 * chance.draw('grace'))),
      provisional: chance.chance('no provisional', 0.1) ? null : DAY,
      verify: {
        method: chance.chance('no verification', 0.1) ? 'none' : 'token',
        timeout: 20 * MINUTE,
        settle: chance.pick('settle', [0, MINUTE, 5 * MINUTE]),
      },
      initial: chance.pick('initial', ['adopt', 'adopt', 'rotate']),
      unmanaged: chance.chance('unmanaged', 0.25) ? 'delete' : 'keep',
      windows: chance.chance('maintenance windows', 0.1) ? drawWindows(chance) : null,
    },
    limits: LIMITS,
    deliver: new Map(
      CLIENTS.slice(0, clients).map((clientId) => [
        clientId,
        VAULTS.slice(0, chance.pick(`places ${clientId}`, [1, 2, 3, 3])),
      ]),
    ),
    suspended: new Set(),
    ignored: new Set(),
    vaults: VAULTS,
    instance: 'sim',
  };
}

/** Eight hours a day. */
function drawWindows(chance: Chance): Windows {
  return windowsOf([`0 ${chance.integer('window from', 0, 23)} * * *`, 8 * HOUR]);
}

/** Some kinds of fault, each at some rate: different schedules stress different things. */
function drawRates(chance: Chance, label: string, most: number): Rates {
  const rates: Partial<Record<Fault, number>> = {};
  for (const fault of FAULTS) {
    if (chance.chance(`${label} has ${fault}`, 0.5)) rates[fault] = most * chance.draw(`${label} ${fault}`);
  }
  return rates;
}

function drawStorms(chance: Chance, until: number): Storm[] {
  return Array.from({ length: chance.pick('storms', [0, 1, 3, 6]) }, (_, index) => {
    const label = `storm${index}`;
    const from = START + Math.floor(chance.draw(`${label} from`) * (until - START));
    const length = 10 * MINUTE + Math.floor(chance.draw(`${label} length`) ** 2 * 2 * DAY);
    return {
      id: label,
      from,
      to: Math.min(until, from + length),
      target: chance.pick(`${label} target`, ['', 'issuer', 'vault', 'vault.a', 'disk']),
      rates: chance.chance(`${label} is of one kind`, 0.3)
        ? { [chance.pick(`${label} kind`, FAULTS)]: 0.5 + 0.5 * chance.draw(`${label} most`) }
        : drawRates(chance, label, chance.pick(`${label} strength`, [0.03, 0.1, 0.4])),
    };
  });
}

/** What keeps a credential from being looked at for days hides much else. */
const RARE: ReadonlySet<IncidentKind> = new Set(['ignored for a while', 'missing from the list']);

function drawIncidents(chance: Chance, size: Size, until: number): Incident[] {
  const kinds = INCIDENT_KINDS.filter((kind) => chance.chance(`has ${kind}`, 0.5));
  const [first, ...others] = kinds;
  const later = LATER_KINDS.filter((kind) => chance.chance(`has ${kind}`, RARE.has(kind) ? 0.1 : 0.15)).map((kind) => ({
    id: kind,
    at: START + SECOND + Math.floor(chance.draw(`${kind} at`) * (until - START)),
    kind,
  }));
  if (first === undefined) return later;
  const drawn = Array.from({ length: chance.integer('incidents', 0, size.incidents) }, (_, index) => {
    const label = `incident${index}`;
    return {
      id: label,
      at: START + SECOND + Math.floor(chance.draw(`${label} at`) * (until - START)),
      kind: chance.pick(`${label} kind`, [first, ...others]),
    };
  });
  return [...drawn, ...later].sort((a, b) => a.at - b.at);
}
