import { formatDuration } from '../../domain/time.ts';
import type { Observation } from '../observation.ts';

/** What is wrong with the clocks; null: nothing. Beyond the bound nothing is created, extended or deleted (I19). */
export function clockProblem({ skew, timing }: Pick<Observation, 'skew' | 'timing'>): string | null {
  if (skew === null || Math.abs(skew) <= timing.maxClockSkew) return null;
  const side = skew > 0 ? 'ahead of' : 'behind';
  return `the issuer's clock is ${formatDuration(Math.abs(Math.round(skew / 1000)) * 1000)} ${side} ours`;
}
