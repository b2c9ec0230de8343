// Free ports of 127.0.0.1 for what tests start: nobody else is given one, neither another test nor another process's `listen(0)`.
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Below the range that the kernel gives out by itself (32768 and up), and with room for the bus of a Redis Cluster (port + 10000).
const first = 10_240;
const count = 9_900;
const claims = join(tmpdir(), 'cjs-proxy-test-ports');
let next = (process.pid * 61) % count;

/** A port where nothing listens, which is this process's until it ends. */
export async function freePort(): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (let tried = 0; tried < count; tried += 1) {
    const port = first + next;
    next = (next + 1) % count;
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free`);
}

/** Takes the port for this process; a claim of a process that has ended is void. */
function claim(port: number): boolean {
  const file = join(claims, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (!isOver(file)) return false;
  }
  // Only made free here, and taken at a later look: who takes it at once could take it from one who came between.
  rmSync(file, { force: true });
  return false;
}

function isOver(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Another process may have made the file and not yet written into it.
    if (pid === 0 || pid === process.pid) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
