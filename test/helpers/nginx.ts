// A real nginx for a test: one process, its files in a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { programPath } from './programs.js';

export interface TestNginx {
  close(): Promise<void>;
}

/**
 * Resolves when it listens.
 * @param servers the blocks `server { … }`
 * @param port one of those that they name
 */
export async function startNginx(servers: string, port: number): Promise<TestNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-nginx-'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const file = join(folder, 'nginx.conf');
  const errors = join(folder, 'errors');
  const http = `http { access_log off; ${paths.join(' ')} ${servers} }`;
  writeFileSync(file, `daemon off; master_process off; pid ${folder}/pid; error_log ${errors}; events {} ${http}`);
  const child: ChildProcess = spawn('nginx', ['-e', errors, '-c', file], { env: { PATH: programPath }, stdio: 'ignore' });
  const killAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  await eventually('nginx', () => {
    if (child.exitCode !== null) throw new Error(`nginx did not start:\n${readFileSync(errors, 'utf8')}`);
    return answers(port);
  });
  return {
    async close() {
      process.off('exit', killAtExit);
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    const tell = (listens: boolean) => () => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', tell(true));
    socket.once('error', tell(false));
  });
}
