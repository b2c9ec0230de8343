// Frontends by what was counted of them, as a table.
import type { FleetRequestStats, FleetRouteStats } from '../../observe/fleet-counts.js';
import { latency, quantity } from './quantities.js';
import { Table } from './table.js';

const titles = ['REQ/S', 'ACTIVE', 'QUEUED', 'REQUESTS', 'ERRORS', '4XX', '5XX', 'P50 MS', 'P99 MS', 'OUT'];

/** @param rows so many, the busiest first */
export function frontendLines(routes: Readonly<Record<string, FleetRouteStats>>, rows: number): string[] {
  const busiest = Object.entries(routes)
    .sort(([, one], [, other]) => other.requestsPerSec - one.requestsPerSec || other.requestsTotal - one.requestsTotal)
    .slice(0, rows);
  const table = new Table([{ title: 'FRONTEND' }, ...titles.map((title) => ({ title, align: 'right' as const }))]);
  return table.lines(busiest.map(([name, stats]) => [name, ...figures(stats)]));
}

function figures(stats: FleetRequestStats): string[] {
  const { classes, latencyMs } = stats;
  const counts = [stats.requestsPerSec, stats.requestsActive, stats.queueLength, stats.requestsTotal, stats.errorsTotal];
  const times = [latencyMs.p50, latencyMs.p99].map(latency);
  return [...counts, classes['4xx'] ?? 0, classes['5xx'] ?? 0].map(quantity).concat(times, quantity(stats.bytesOut));
}
