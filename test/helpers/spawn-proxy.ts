// Starts a proxy in a process of its own, compiled beforehand, so that its memory is that of the product and of nothing else.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ServerConfig } from '../../src/config/config.js';
import { compiledProgram } from './compiled.js';

/** A proxy that runs elsewhere. */
export interface SpawnedProxy {
  readonly port: number;
  /** Resident bytes now. */
  resident(): number;
  close(): Promise<void>;
}

/** What it is started with. */
export interface SpawnOptions {
  readonly server?: Partial<ServerConfig>;
  /** Backends by host. */
  readonly frontends: Readonly<Record<string, readonly string[]>>;
}

/** Starts a proxy; the caller closes it. */
export async function spawnProxy({ server = {}, frontends }: SpawnOptions): Promise<SpawnedProxy> {
  const child = spawn(process.execPath, [compiledProgram('test/helpers/proxy-process'), JSON.stringify({ server, frontends })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
    child.once('exit', (code) => reject(new Error(`the proxy process ended with ${code}`)));
  });
  return {
    port,
    resident() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
