import { DAY, HOUR, MINUTE } from '../../../src/domain/time.ts';
import type { SimWorld } from '../sim-world.ts';
import { howLong, one, outage } from './means.ts';
import type { Act } from './means.ts';

/** What bad luck does to vaults, disks, machines and clocks. */
export const MACHINE_INCIDENTS = {
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
    world.truth.forgetPutRight();
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
} satisfies Record<string, Act>;

function swapLedger(world: SimWorld, disk: string, swap: () => void): void {
  const users = world.installations.filter((each) => each.disk.name === disk);
  for (const each of users) each.crash(10 * MINUTE);
  swap();
}
