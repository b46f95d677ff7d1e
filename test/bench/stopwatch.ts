/** What something cost, in milliseconds. */
export interface Effort {
  readonly took: number;
  /** CPU time of this process, all threads. It says the same where others keep the machine busy. */
  readonly cpu: number;
}

export const NO_EFFORT: Effort = { took: 0, cpu: 0 };

/** @returns what tells the cost since now. */
export function startStopwatch(): () => Effort {
  const began = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { took: performance.now() - began, cpu: (user + system) / 1000 };
  };
}

export function addEffort(a: Effort, b: Effort): Effort {
  return { took: a.took + b.took, cpu: a.cpu + b.cpu };
}
