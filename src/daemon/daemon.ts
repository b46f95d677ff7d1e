import type { Schedule } from '../domain/ports.ts';
import { formatInstant, formatInstantOrNull } from '../domain/time.ts';
import type { Instant } from '../domain/time.ts';
import type { World } from '../rotation/world.ts';
import { Bulks } from './bulk/bulks.ts';
import { forgetDestination, pauseOne, resumeOne, retireNow, rotateNow } from './acts.ts';
import { coverageOf } from './coverage.ts';
import { everyRecord } from './every-record.ts';
import { forecastOf } from './forecast.ts';
import type { Daemon, OnceResult, StatusView } from './api.ts';
import { Engine } from './engine.ts';
import { LedgerCheck } from './ledger-check.ts';
import { changePauseNote } from './pause-note.ts';
import { countsInPause, credentialsByState } from './paused-all.ts';
import { explainOne, planAll } from './planning.ts';
import { Scans } from './scans.ts';
import { Shown } from './shown.ts';
import { unwellOf } from './unwell.ts';
import { countsOf, scanView } from './status-parts.ts';

/** The daemon whose terms held before, in this process and over the same ledger. */
interface Predecessor {
  readonly engine: Engine;
  readonly bulks: Pick<Bulks, 'idle'>;
  readonly startedAt: Instant;
  /** Takes its schedule from it. From here on it passes on to the successor what it is asked for. */
  leave(successor: Daemon): void;
}

/** Puts the daemon together over a world. Nothing happens before `start` or `once`. */
export function createDaemon(
  world: World,
  options: { readonly version: string; readonly before?: Predecessor },
): Daemon {
  const { ledger, clock, ticker, settings, events } = world;
  const { version } = options;
  // let go once it has handed over: each holds on to what it knew of all credentials
  let before = options.before ?? null;
  const engine = new Engine(world);
  const bulks = new Bulks(engine);
  const scans = new Scans(engine);
  const shown = new Shown(engine);
  const ledgerCheck = new LedgerCheck(ledger, clock);
  const startedAt = before?.startedAt ?? clock.now();
  let successor: Daemon | null = null;
  let schedule: Schedule | null = null;
  let opened = false;

  const daemon: Daemon = {
    async start() {
      await engine.open({ once: false, wakeBefore: () => schedule?.next() ?? null });
      opened = true;
      const takesOver = before !== null;
      const bulksBefore = before?.bulks.idle() ?? Promise.resolve();
      // nothing is waited for from here on: at each moment the terms of one of them hold
      before?.leave(daemon);
      if (before !== null) engine.takeOver(before.engine);
      before = null;
      schedule = ticker.schedule(settings.schedule, settings.timezone, () => {
        if (scans.startScheduled()) void bulks.resume();
      });
      if (!takesOver) {
        events.tell({
          type: 'daemon-started',
          instance: settings.instance,
          mode: settings.mode,
          nextScan: formatInstantOrNull(schedule.next()),
        });
      }
      // other settings are an act of a person: what is held back is looked at again
      const first = takesOver ? (['stuck-too', 'schedule'] as const) : (['blocked-too', 'startup'] as const);
      scans.start({ everything: first[0], trigger: first[1], limit: null, only: null });
      // not before the one that goes on with it until now has let go of it
      void bulksBefore.then(() => bulks.resume());
    },

    async handOver(next) {
      const leave = (heir: Daemon): void => {
        successor = heir;
        schedule?.stop();
      };
      const heir = createDaemon(next, { version, before: { engine, bulks, startedAt, leave } });
      await heir.start();
      return heir;
    },

    async rest() {
      await Promise.all([engine.dispatcher.drained(), scans.idle(), bulks.idle()]);
    },

    async stop() {
      schedule?.stop();
      engine.stop();
      const deadline = new AbortController();
      const rest = daemon.rest().then(() => deadline.abort());
      await ticker.sleep(settings.shutdownTimeout, deadline.signal).catch(() => undefined);
      engine.giveUp.abort(new Error('shutdownTimeout is over'));
      await rest;
      if (successor === null) events.tell({ type: 'daemon-stopped', instance: settings.instance });
    },

    async once(given): Promise<OnceResult> {
      await engine.open({ once: true, wakeBefore: () => null });
      opened = true;
      const { report, done } = scans.start({ everything: 'blocked-too', trigger: 'startup', ...given });
      await done;
      await engine.dispatcher.drained();
      const unwell = await unwellOf(engine, given.only);
      await scans.prune();
      return { looked: report.looked, acted: engine.dispatcher.acted, unwell, errors: report.errors };
    },

    async plan() {
      await engine.prepare();
      return planAll(engine);
    },

    async explain(key) {
      await engine.prepare();
      return explainOne(engine, key);
    },

    async status(): Promise<StatusView> {
      const credentials = countsOf(await daemon.counts());
      const now = clock.now();
      return {
        version,
        instance: settings.instance,
        mode: settings.mode,
        startedAt: formatInstant(startedAt),
        uptime: Math.floor((now - startedAt) / 1000),
        paused: shown.pause(),
        lastScan: scans.last === null ? null : scanView(scans.last),
        nextScan: formatInstantOrNull(schedule?.next() ?? null),
        bulk: bulks.remaining,
        breakers: [...engine.restraints.breakers].map(([issuer, breaker]) => ({
          issuer,
          open: breaker.openUntil !== null,
          until: formatInstantOrNull(breaker.openUntil),
        })),
        credentials,
      };
    },

    async unready() {
      if (!opened) return ['starting'];
      const problem = await ledgerCheck.problem();
      return problem === null ? [] : [problem];
    },

    scan: () =>
      successor?.scan() ?? {
        scanId: scans.start({ everything: 'stuck-too', trigger: 'schedule', limit: null, only: null }).report.scanId,
      },

    async credentials(filter, limit, cursor) {
      const page = await credentialsByState(world, filter, limit, cursor, shown.pausedAll() !== null);
      return { ...page, items: await shown.credentials(page.items) };
    },

    async credential(key) {
      const record = await ledger.credential(key);
      return record === null ? null : shown.credential(record);
    },

    async rotations(filter, limit, cursor) {
      const page = await ledger.rotations(filter, limit, cursor);
      return { ...page, items: await Promise.all(page.items.map((each) => shown.rotation(each))) };
    },

    async rotation(id) {
      const rotation = await ledger.rotation(id);
      return rotation === null ? null : shown.rotation(rotation);
    },

    coverage: () => coverageOf(everyRecord(ledger), clock.now()),

    async forecast(days, limit) {
      await engine.refreshPause();
      return forecastOf(everyRecord(ledger, engine.dated), {
        now: clock.now(),
        days,
        limit,
        rotationsPerHour: settings.limits.rotationsPerHour,
        termsOf: (record) => {
          const terms = engine.termsOf(record);
          return terms.kind === 'managed' ? terms : null;
        },
        timingOf: (issuer) => engine.timingOf(issuer),
        mode: settings.mode,
        pausedAll: shown.pausedAll() !== null,
      });
    },

    counts: () => (shown.pausedAll() === null ? ledger.countsByState() : countsInPause(world)),
    ledgerProblem: () => ledgerCheck.problem(),
    retirementOpening: (record, at) => engine.retirementOpening(record, at),
    dated: (record) => engine.dated(record),

    previewBulk: (wish, limit) => bulks.previewBulk(wish, limit),
    startBulk: (wish, confirm, by) => bulks.startBulk(wish, confirm, by),
    bulks: () => bulks.bulks(),
    bulk: (id) => bulks.bulk(id),
    cancelBulk: (id, actor) => bulks.cancelBulk(id, actor),

    rotate: (key, request) => rotateNow(engine, key, request),

    async pause(key, request) {
      const { until, note } = request;
      if (key === null) {
        const since = clock.now();
        await changePauseNote(ledger, since, (present) => ({ since: present?.since ?? since, until, note }));
        await engine.refreshPause();
        events.tell({ type: 'paused-all', actor: request.actor });
        return shown.pause();
      }
      await pauseOne(engine, key, request);
      return { paused: true, until: formatInstantOrNull(until), note };
    },

    async resume(key, actor) {
      if (key === null) {
        await changePauseNote(ledger, clock.now(), () => null);
        await engine.refreshPause();
        events.tell({ type: 'resumed-all', actor });
        bulks.wake();
        daemon.scan();
      } else await resumeOne(engine, key, actor);
      return { paused: false, until: null, note: null };
    },

    retire: async (rotationId, actor) => shown.rotation(await retireNow(engine, rotationId, actor)),
    forget: async (key, destination, actor) =>
      shown.credential(await forgetDestination(engine, key, destination, actor)),
  };
  return daemon;
}
