import { z } from 'zod';

/** The operations that a fault can be limited to: the ten of the API, and the token endpoint's. */
export const OPERATIONS = [
  'listCredentials',
  'createCredential',
  'getCredential',
  'updateCredential',
  'deleteCredential',
  'listSecrets',
  'createSecret',
  'getSecret',
  'updateSecret',
  'deleteSecret',
  'token',
  'discovery',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What can go wrong with one request. Explained in docs/emulator.md, and a test holds that page to this list. */
export const FAULT_KINDS = [
  /** The connection is reset, nothing was done. */
  'reset',
  /** Done, and then the connection is reset. */
  'lost-answer',
  /** The connection is reset at once; what was asked is done `delay` ms later all the same. */
  'late-landing',
  /** Nothing is done, and no answer comes until the caller gives up. */
  'hang',
  /** 429 with `retryAfter`. */
  'throttle',
  /** 503, with `retryAfter` where given; with `applied: true` it was done first. */
  'unavailable',
  /** 502 with a page of HTML; with `applied: true` it was done first. */
  'bad-gateway',
  /** 401, whatever the token. */
  'unauthorized',
  /** 403. */
  'forbidden',
  /** Done; a 2xx whose JSON ends in the middle. */
  'malformed',
  /** Done; the 2xx of `createSecret` lacks `generatedSecret`. */
  'no-value',
  /** A 2xx, but nothing was done (an ignored PUT or DELETE). */
  'ignore',
  /** A PUT replaces the whole by only what it gives. */
  'replace',
  /** The request waits `delay` ms first. Unlike the others it goes together with another fault. */
  'latency',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const milliseconds = z.number().min(0).max(2_147_483_647);

const faultRule = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** Default: all of them. */
  operations: z.array(z.enum(OPERATIONS)).min(1).optional(),
  /** The share of matching requests that it hits. */
  probability: z.number().min(0).max(1).default(1),
  /** At most so many hits; default: no end. */
  count: z.int().min(0).optional(),
  /** So many matching requests pass first. */
  skip: z.int().min(0).default(0),
  /** Of `throttle` and `unavailable`: the header as it is to be sent, garbage included. */
  retryAfter: z.string().optional(),
  /** Of `late-landing` and `latency`, in milliseconds. */
  delay: milliseconds.default(0),
  /** Of `unavailable` and `bad-gateway`. */
  applied: z.boolean().default(false),
});
export type FaultRule = z.output<typeof faultRule>;

export const faultSettings = z.strictObject({
  /** Of the random numbers behind `probability`. */
  seed: z.int().default(1),
  /** The first that hits is applied. */
  rules: z.array(faultRule).default([]),
  /** A fresh secret is refused at the token endpoint for so long. */
  acceptAfter: milliseconds.default(0),
  /** After that, each try within so long is accepted with probability 1/2: nodes that have heard of it, and not. */
  acceptFlap: milliseconds.default(0),
  /** A deleted secret is still accepted for so long: a client cache. */
  deletedAcceptedFor: milliseconds.default(0),
  /** A longer life is cut to this; null: no limit. */
  maxLifetime: milliseconds.nullable().default(null),
  /** The most secrets that a credential holds, expired ones included; null: no limit. */
  maxSecrets: z.int().min(0).nullable().default(null),
  /** Lists are this stale. Only changes made while it is set are held back. */
  listLag: milliseconds.default(0),
  /** Added to the emulator's clock, Date header included. May be negative. */
  clockSkew: z.number().default(0),
});
export type FaultSettings = z.output<typeof faultSettings>;
/** What is handed in: every key is optional, the rest takes its default. */
export type FaultInput = z.input<typeof faultSettings>;

/** What was decided for one request. */
export interface Decision {
  readonly fault: FaultRule | null;
  readonly latency: number;
}

interface Standing {
  readonly rule: FaultRule;
  seen: number;
  hits: number;
}

/** The fault switches. They can be set at any time; what is under way is not touched. */
export class Faults {
  #settings: FaultSettings;
  #standing: Standing[] = [];
  #random: () => number;

  /** @throws ZodError where a switch is unknown or out of range; also {@link set}. */
  constructor(input: FaultInput = {}) {
    this.#settings = faultSettings.parse({});
    this.#random = seededRandom(1);
    this.set(input);
  }

  /** Replaces all switches, counts from 0 and starts the random numbers again. */
  set(input: FaultInput): void {
    this.#settings = faultSettings.parse(input);
    this.#standing = this.#settings.rules.map((rule) => ({ rule, seen: 0, hits: 0 }));
    this.#random = seededRandom(this.#settings.seed);
  }

  get settings(): FaultSettings {
    return this.#settings;
  }

  /** How often each rule has hit since it was set, in the order of `rules`. */
  hits(): number[] {
    return this.#standing.map((standing) => standing.hits);
  }

  /** A number in [0, 1) from the seeded sequence. */
  random(): number {
    return this.#random();
  }

  /** Decides about one request; counts it. */
  decide(operation: Operation): Decision {
    let fault: FaultRule | null = null;
    let latency = 0;
    for (const standing of this.#standing) {
      const { rule } = standing;
      if (fault !== null && rule.kind !== 'latency') continue;
      if (rule.operations !== undefined && !rule.operations.includes(operation)) continue;
      if (!this.#hits(standing)) continue;
      if (rule.kind === 'latency') latency += rule.delay;
      else fault = rule;
    }
    return { fault, latency };
  }

  #hits(standing: Standing): boolean {
    const { rule } = standing;
    standing.seen += 1;
    if (standing.seen <= rule.skip) return false;
    if (rule.count !== undefined && standing.hits >= rule.count) return false;
    if (rule.probability < 1 && this.#random() >= rule.probability) return false;
    standing.hits += 1;
    return true;
  }
}

/** Mulberry32: small, and the same on every machine. */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
