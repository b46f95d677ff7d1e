import type { Log } from '../telemetry/log.ts';

/** What a SIGHUP leads to. */
export interface ReloadSignal {
  /** From now on a SIGHUP calls `reload`; at once where one came before. */
  to(reload: () => void): void;
  /** A SIGHUP ends the process again, as it does by default. */
  forget(): void;
}

/** Takes SIGHUP as 'load the configuration anew'. From the start of the process on: by default it would end it. */
export function onReloadSignal(log: Log): ReloadSignal {
  let reload: (() => void) | null = null;
  let came = false;
  const listen = (): void => {
    log.info('reload-asked', 'SIGHUP: the configuration is loaded anew');
    came = reload === null;
    reload?.();
  };
  process.on('SIGHUP', listen);
  return {
    to: (next) => {
      reload = next;
      if (came) next();
      came = false;
    },
    forget: () => void process.off('SIGHUP', listen),
  };
}
