// `cjs-proxy stats`: what was counted since the nodes started, added up over the fleet.
import type { FleetRequestStats, FleetRouteStats } from '../../observe/fleet-counts.js';
import type { FleetReport } from '../../store/read-stats.js';
import { exitCodes } from '../command-error.js';
import { recordPath } from '../fleet/fleet.js';
import { latency, quantity } from '../output/quantities.js';
import { frontendLines } from '../output/stats-table.js';
import { pairLines, Table } from '../output/table.js';
import type { Session } from '../session.js';

const path = '/stats';

/** @param words the frontend, or nothing for all */
export async function showStats(session: Session, [frontend]: readonly string[]): Promise<number> {
  const stats = await session.read<FleetReport | FleetRouteStats>(frontend === undefined ? path : recordPath(path, frontend));
  session.print(session.json ? JSON.stringify(stats) : linesOf(stats).join('\n'));
  return exitCodes.done;
}

function linesOf(stats: FleetReport | FleetRouteStats): string[] {
  if ('routes' in stats) return [...pairLines(summary(stats)), '', ...frontendLines(stats.routes, Number.POSITIVE_INFINITY)];
  return [...pairLines(summary(stats)), '', ...backendLines(stats)];
}

function summary(stats: FleetRequestStats): (readonly [string, string])[] {
  const { latencyMs } = stats;
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, number]) => `${name} ${quantity(number)}`)
      .join(', ');
  return [
    ['requests', `${quantity(stats.requestsTotal)}, ${quantity(stats.requestsPerSec)}/s, ${stats.requestsActive} running`],
    ['latency', `p50 ${latency(latencyMs.p50)} ms, p95 ${latency(latencyMs.p95)} ms, p99 ${latency(latencyMs.p99)} ms`],
    ['statuses', counted(stats.codes)],
    ['errors', counted(stats.errors)],
    ['queue', `${stats.queueLength} waiting, ${quantity(stats.queuedTotal)} waited, ${quantity(stats.misses)} turned away`],
    ['limits', `${quantity(stats.limitedTotal)} turned away`],
    ['retries', quantity(stats.retriesTotal)],
    ['bytes', `${quantity(stats.bytesIn)} in, ${quantity(stats.bytesOut)} out`],
  ];
}

function backendLines({ backends }: FleetRouteStats): string[] {
  const titles = ['ATTEMPTS', 'ACTIVE', 'ERRORS', 'P50 MS', 'P99 MS'].map((title) => ({ title, align: 'right' as const }));
  const rows = Object.entries(backends).map(([id, { hits, activeLength, errorsTotal, latencyMs }]) => [
    id,
    ...[hits, activeLength, errorsTotal].map(quantity),
    ...[latencyMs.p50, latencyMs.p99].map(latency),
  ]);
  return new Table([{ title: 'BACKEND' }, ...titles]).lines(rows);
}
