// What a proxy has used so far: CPU time and resident memory of a process and its children, from /proc.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Use of a process tree. */
export interface Usage {
  /** utime + stime of all its threads since they started, in microseconds. */
  readonly cpuMicroseconds: number;
  /** Sum of VmRSS in MiB. Pages that processes share count once for each. */
  readonly residentMebibytes: number;
}

/** Reads the use of a process and all its descendants that are alive now. */
export function readUsage(root: number): Usage {
  const all = readAllStats();
  const tree = [root];
  // The list grows while it is walked: children of children are found too.
  for (const parent of tree) for (const [pid, stat] of all) if (stat.parent === parent) tree.push(pid);
  let ticks = 0;
  let kibibytes = 0;
  for (const pid of tree) {
    const stat = all.get(pid);
    if (stat === undefined) throw new Error(`process ${pid} has ended during the measurement`);
    ticks += stat.ticks;
    kibibytes += residentKibibytes(pid);
  }
  return { cpuMicroseconds: (ticks / ticksPerSecond) * 1e6, residentMebibytes: kibibytes / 1024 };
}

/** VmRSS in MiB of the one process that another one has started: the worker of a supervisor. */
export function residentOfChild(parent: number): number {
  const children = [...readAllStats()].filter(([, stat]) => stat.parent === parent);
  const [child] = children;
  if (child === undefined || children.length > 1) throw new Error(`process ${parent} has ${children.length} children, not one`);
  return residentKibibytes(child[0]) / 1024;
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

function readAllStats(): Map<number, Stat> {
  const all = new Map<number, Stat>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      all.set(Number(entry), parseStat(readFileSync(`/proc/${entry}/stat`, 'latin1')));
    } catch {
      // It ended between the two reads; if it was ours, the caller misses it in the map.
    }
  }
  return all;
}

/** proc(5): the second field is the name in parentheses and may hold anything, so count from its last parenthesis. */
function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

function residentKibibytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(found?.[1] ?? 0);
}
