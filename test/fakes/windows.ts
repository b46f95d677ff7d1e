import { openWindow } from '../../src/config/window-calendar.ts';
import type { Duration } from '../../src/domain/time.ts';
import { Windows } from '../../src/domain/windows.ts';

/** Maintenance windows as the loader makes them, of UTC where no zone is named. */
export function windowsOf(...written: readonly [start: string, duration: Duration, timezone?: string][]): Windows {
  return new Windows(written.map(([start, duration, timezone = 'UTC']) => openWindow({ start, duration, timezone })));
}
