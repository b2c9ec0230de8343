// A node as its users run it, for scripts: the built command with a configuration of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/helpers/free-port.js';

export interface NodeProcess {
  readonly pid: number;
  readonly port: number;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
}

const command = fileURLToPath(new URL('../dist/bin/cjs-proxy.js', import.meta.url));
const patience = 60_000;

/** Resolves when the node serves. @param settings of its configuration, besides a free port */
export async function startNode(settings: Readonly<Record<string, unknown>>): Promise<NodeProcess> {
  if (!existsSync(command)) throw new Error(`${command} is missing: run "npm run build" first`);
  const dir = await mkdtemp(join(tmpdir(), 'cjs-proxy-node-'));
  const file = join(dir, 'config.json');
  const port = await freePort();
  await writeFile(file, JSON.stringify({ http: { bind: ['127.0.0.1'], port }, user: 'root', ...settings }));
  const child = spawn(process.execPath, [command, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the node does not serve after ${patience / 1000} s:\n${said}`)), patience);
    child.once('exit', () => reject(new Error(`the node ended:\n${said}`)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000);
      if (!said.includes('Serving http')) return;
      clearTimeout(late);
      resolve();
    });
  });
  return {
    pid: child.pid ?? 0,
    port,
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
