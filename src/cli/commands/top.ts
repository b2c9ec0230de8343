// `cjs-proxy top`: the busiest frontends, as they are now, again and again.
import { setTimeout as pause } from 'node:timers/promises';
import type { FleetReport } from '../../store/read-stats.js';
import { exitCodes } from '../command-error.js';
import { latency, quantity } from '../output/quantities.js';
import { frontendLines } from '../output/stats-table.js';
import type { Session } from '../session.js';

/** Options are texts of numbers. */
export interface TopOptions {
  readonly every?: string;
  readonly times?: string;
  readonly rows?: string;
}

/** Lines above the table, and one for the cursor. */
const above = 4;
const rowsWithoutTerminal = 20;
/** Of a terminal that does not say its size. */
const standardRows = 24;
const standardColumns = 80;
const toTop = '\x1b[H';
const clearLine = '\x1b[K';
const clearRest = '\x1b[J';
const otherScreen = '\x1b[?1049h\x1b[?25l';
const back = '\x1b[?25h\x1b[?1049l';

/** Ends at Ctrl-C, or after `times`. On a terminal it has the screen to itself; elsewhere pages follow each other. */
export async function top(session: Session, { every = '1', times, rows }: TopOptions): Promise<number> {
  const screen = process.stdout.isTTY === true && !session.json;
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  if (screen) process.stdout.write(otherScreen);
  try {
    for (let shown = 0; !stopped.signal.aborted && shown < Number(times ?? Number.POSITIVE_INFINITY); shown += 1) {
      if (shown > 0 && (await interrupted(Number(every) * 1_000, stopped.signal))) break;
      const report = await session.read<FleetReport>('/stats');
      const room = Number(rows ?? (screen ? Math.max(1, (process.stdout.rows || standardRows) - above) : rowsWithoutTerminal));
      if (session.json) session.print(JSON.stringify(report));
      else if (screen)
        process.stdout.write(
          toTop +
            page(report, room)
              .map((line) => `${fitted(line)}${clearLine}\n`)
              .join('') +
            clearRest,
        );
      else session.print(page(report, room).join('\n'));
    }
  } finally {
    if (screen) process.stdout.write(back);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
  return exitCodes.done;
}

function page(report: FleetReport, rows: number): string[] {
  const { nodes, requestsPerSec, requestsActive, latencyMs, routes } = report;
  const head = `${nodes.live} ${nodes.live === 1 ? 'node' : 'nodes'}  ${quantity(requestsPerSec)} requests/s  ${requestsActive} running  p99 ${latency(latencyMs.p99)} ms`;
  return [head, '', ...frontendLines(routes, rows)];
}

function fitted(line: string): string {
  return line.slice(0, process.stdout.columns || standardColumns);
}

async function interrupted(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return pause(milliseconds, false, { signal }).catch(() => true);
}
