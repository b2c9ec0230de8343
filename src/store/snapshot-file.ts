// The file of `redis.snapshot`: what a worker has read of Redis, for a node that starts while Redis is away.
//
// Lines of JSON: a head that says what it is and of which Redis, one line for each record, and an end with their number and the SHA-256
// of all bytes before it. It may hold keys and passwords: it is readable by its owner alone, and believed only if nobody else may write it.
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

/** Of a file; more is neither written nor read. */
const mostBytes = 256 * 1_048_576;
/** Lines that are made, or read, in one turn of the event loop. */
const linesAtOnce = 200;
const version = 1;

/** A file that was read and found whole. */
export interface Snapshot {
  readonly path: string;
  /** When it was written, in milliseconds since the epoch. */
  readonly written: number;
  readonly lines: readonly string[];
}

/** @param worker 0 for a node in one process, whose file is the one that is configured */
export function snapshotPath(path: string, worker: number): string {
  return worker === 0 ? path : `${path}.${worker}`;
}

/**
 * Replaces a file as a whole: a reader finds the old one or the new one. Other work goes on between the lines.
 * @param of which Redis it is of; without credentials
 * @returns whether all lines had room
 */
export async function writeSnapshot(path: string, of: string, lines: Iterable<string>): Promise<boolean> {
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  let whole: boolean;
  try {
    whole = await writeLines(file, of, lines);
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  await rename(temporary, path);
  return whole;
}

async function writeLines(file: FileHandle, of: string, lines: Iterable<string>): Promise<boolean> {
  const hash = createHash('sha256');
  let bytes = 0;
  const write = async (text: string): Promise<void> => {
    const buffer = Buffer.from(text);
    hash.update(buffer);
    bytes += buffer.length;
    await file.writeFile(buffer);
  };
  await write(`${JSON.stringify({ 'cjs-proxy': 'snapshot', version, of, written: Date.now() })}\n`);
  let count = 0;
  let some: string[] = [];
  for (const line of lines) {
    some.push(line);
    count++;
    if (some.length < linesAtOnce) continue;
    await write(`${some.join('\n')}\n`);
    some = [];
    if (bytes > mostBytes - 1_048_576) break;
    await turn();
  }
  const whole = bytes <= mostBytes - 1_048_576;
  if (some.length > 0) await write(`${some.join('\n')}\n`);
  await file.writeFile(`${JSON.stringify({ lines: count, sha256: hash.digest('hex') })}\n`);
  return whole;
}

/**
 * The files of all workers that may be believed, the newest first.
 * @param refused told in one line of each that may not
 */
export async function readSnapshots(path: string, of: string, refused: (text: string) => void): Promise<Snapshot[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((name) => name === basename(path) || isOfWorker(name, basename(path)));
  const snapshots: Snapshot[] = [];
  for (const name of own) {
    const file = join(folder, name);
    try {
      snapshots.push(await readSnapshot(file, of));
    } catch (error) {
      refused(`the snapshot ${file} is not used: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return snapshots.sort((one, other) => other.written - one.written);
}

function isOfWorker(name: string, base: string): boolean {
  return name.startsWith(`${base}.`) && /^\d{1,6}$/.test(name.slice(base.length + 1));
}

/** @throws an Error that says why it may not be believed */
async function readSnapshot(path: string, of: string): Promise<Snapshot> {
  const file = await open(path, 'r');
  let content: Buffer;
  try {
    const stats = await file.stat();
    const fault = faultOf(stats);
    if (fault !== '') throw new Error(fault);
    content = await file.readFile();
  } finally {
    await file.close();
  }
  const endAt = content.lastIndexOf(0x0a, content.length - 2) + 1;
  const end = parse(content.subarray(endAt).toString());
  const sha256 = createHash('sha256').update(content.subarray(0, endAt)).digest('hex');
  if (end?.sha256 !== sha256) throw new Error('it is not whole, or was changed by another hand');
  const lines = content.subarray(0, endAt).toString().split('\n');
  const head = parse(lines.shift() ?? '');
  lines.pop();
  if (head?.['cjs-proxy'] !== 'snapshot') throw new Error('it is no snapshot');
  if (head.version !== version) throw new Error(`it has the version ${String(head.version)}, and ${version} is understood`);
  if (head.of !== of) throw new Error(`it is of another Redis than ${of}`);
  if (typeof head.written !== 'number' || end.lines !== lines.length) throw new Error('its head or its end is wrong');
  return { path, written: head.written, lines };
}

function faultOf(stats: Stats): string {
  if (!stats.isFile()) return 'it is no file';
  if (stats.size > mostBytes) return `it is larger than ${mostBytes / 1_048_576} MiB`;
  const self = process.geteuid?.() ?? stats.uid;
  if (stats.uid !== self && stats.uid !== 0 && self !== 0) return 'it belongs to another user';
  return (stats.mode & 0o022) === 0 ? '' : 'others than its owner may write it; chmod 600 it if it is yours';
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}
