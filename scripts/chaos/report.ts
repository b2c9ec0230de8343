// The table at the end of a run: faults tried, how often, and what was lost to them.
import type { ChaosResult } from './run.js';

export function reportOf({ tally, log, memory }: ChaosResult): string {
  const lines = [
    '',
    '| fault | times | lasted on average |',
    '|---|---:|---:|',
    ...log.summary().map(({ name, times, lasted }) => `| ${name} | ${times} | ${(lasted / 1000).toFixed(1)} s |`),
    '',
    '| what came of it | requests |',
    '|---|---:|',
    `| right, every byte (${(tally.bytes / 1_048_576).toFixed(0)} MiB) | ${tally.right} |`,
    ...tally.lost.map(([why, times]) => `| lost: ${why} | ${times} |`),
    `| must not happen | ${tally.faults} |`,
    '',
    `${tally.requests} requests: ${tally.kinds.map(([kind, times]) => `${times} ${kind}`).join(', ')}; the slowest right answer took ${tally.longest.toFixed(0)} ms`,
    ...memory.map(
      ({ worker, before, after }) =>
        `worker ${worker}: ${before.toFixed(0)} MiB after two minutes, ${after.toFixed(0)} MiB at the end`,
    ),
    '',
  ];
  return lines.join('\n');
}
