// What a worker holds: memory while it is asked, sockets and timers when nobody asks any more.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './node.js';

/** Growth of a worker that is a leak. */
const mostGrowth = 1.2;
/** Milliseconds that the median of a size is taken over. */
const window = 30_000;

/** The memory of every worker that there was. */
export class MemoryWatch {
  readonly #sizes = new Map<
    number,
    { readonly node: string; readonly samples: { readonly at: number; readonly mebibytes: number }[] }
  >();

  /** Looks at workers now. @param at milliseconds since the beginning */
  look(at: number, node: string, workers: readonly number[]): void {
    for (const worker of workers) {
      let seen = this.#sizes.get(worker);
      if (seen === undefined) {
        seen = { node, samples: [] };
        this.#sizes.set(worker, seen);
      }
      const mebibytes = residentMemory(worker);
      if (mebibytes > 0) seen.samples.push({ at, mebibytes });
    }
  }

  /**
   * Growth of each worker that was there at a moment and is there still.
   * @param from milliseconds since the beginning
   */
  growth(from: number, to: number): { worker: string; before: number; after: number; leaks: boolean }[] {
    if (to < from + 2 * window) return [];
    return [...this.#sizes].flatMap(([pid, { node, samples }]) => {
      const first = samples.filter(({ at }) => at >= from && at < from + window);
      const last = samples.filter(({ at }) => at >= to - window);
      if ((samples[0]?.at ?? to) > from || first.length === 0 || last.length === 0 || !isAlive(pid)) return [];
      const [before, after] = [median(first.map(({ mebibytes }) => mebibytes)), median(last.map(({ mebibytes }) => mebibytes))];
      return [{ worker: `${node}, ${pid}`, before, after, leaks: after > before * mostGrowth }];
    });
  }
}

/** Mebibytes; 0: it is gone. */
function residentMemory(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Ports of both ends of the TCP connections that a process has open, but for those to one port. */
export function connectionsOf(pid: number, butTo: number): string[] {
  const own = new Set<string>();
  for (const entry of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${entry}`))?.[1];
      if (inode !== undefined) own.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
      const [from, to] = [portOf(local), portOf(remote)];
      const listens = state === '0A';
      return own.has(inode) && !listens && to !== butTo ? [`${from} to ${to}`] : [];
    });
}

function portOf(place: string): number {
  return Number.parseInt(place.split(':')[1] ?? '', 16);
}

/** Timers that have kept a process busy for a second, as it told last; null: it told nothing yet. @param folder where it tells */
export function timersOf(pid: number, folder: string): number | null {
  try {
    return Number(readFileSync(join(folder, String(pid)), 'utf8'));
  } catch {
    return null;
  }
}

/** What a node says of itself that must be nothing when nobody asks: its metrics by name, those that are not 0. */
export async function unfinished(adminPort: number): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const ended =
    /^cjs_proxy_(?:connections_open|tunnels_open|requests_in_flight|requests_active|requests_waiting|backend_attempts_active)\b/;
  return text.split('\n').filter((line) => ended.test(line) && !/\s0$/.test(line));
}
