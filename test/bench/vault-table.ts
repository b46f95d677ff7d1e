import type { StartUpFigures } from './start-up.ts';
import type { VaultsCompared } from './vault-deliveries.ts';

/** Deliveries a second, a line each type; of a type without a server, why. */
export function vaultLines({ vaults, left }: VaultsCompared): string[] {
  return [
    '',
    "deliveries a second beside the backend's own library (ratio: median, least, most)",
    ...vaults.map(({ type, server, deliveries, requests, daemon, bare, ratio, cpuRatio }) => {
      const [ours, theirs] = [deliveries / daemon.median, deliveries / bare.median];
      const range = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`;
      const each = requests / deliveries;
      return `  ${type} on ${server}: rekeyd ${ours.toFixed(0)}, bare ${theirs.toFixed(0)}, ratio ${range}, of CPU time ${cpuRatio.median.toFixed(2)}; ${each} requests a delivery`;
    }),
    ...left.map(({ type, reason }) => `  ${type}: not measured: ${reason}`),
  ];
}

export function startUpLines({ daemon, anew, bare, times }: StartUpFigures): string[] {
  const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2);
  return [
    '',
    'start-up to /livez, the file vault alone (seconds: median, least)',
    `  rekeyd ${seconds(daemon.median)} (${seconds(daemon.min)}), by the package's command ${seconds(anew.median)} (${seconds(anew.min)}), a bare Fastify server ${seconds(bare.median)} (${seconds(bare.min)}): ${times.toFixed(1)} times`,
  ];
}
