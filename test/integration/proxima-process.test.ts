// Proxima's own file, run by the command: workers, accounts, options that win, errors in its words.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { ourCommand } from '../helpers/compiled.js';
import { writeConfigFile } from '../helpers/config-file.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { nameOf, startUpstream } from '../helpers/proxima.js';

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

function start(file: object, ...options: readonly string[]): { child: ChildProcess; stderr: () => string } {
  const args = [ourCommand()[1], ...options, '--config', writeConfigFile(file, 'proxima.json')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  running.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, stderr: () => stderr };
}

/** Ids of the processes that a process has started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function numbers(pid: number, name: string): number[] {
  const line = new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  return line.split(/\s+/).map(Number);
}

it('serves with the workers of the command line, which are the account and the group of the file', async () => {
  const upstream = await startUpstream('one');
  const port = await freePort();
  const listeners = [{ port, host: '127.0.0.1' }];
  const file = {
    verbose: false,
    workers: 1,
    uid: 54_321,
    gid: 54_322,
    listeners,
    routes: [{ hostname: 'a.com', to: upstream.port }],
  };
  const { child, stderr } = start(file, '--workers', '2', '--verbose');
  await eventually('it to serve', () => /Serving tcp:\/\/127\.0\.0\.1:\d+ with 2 workers/.test(stderr()), 20_000);
  const workers = childrenOf(child.pid as number);
  expect(workers).toHaveLength(2);
  if (process.getuid?.() === 0) {
    for (const worker of workers) {
      expect(numbers(worker, 'Uid')).toEqual([54_321, 54_321, 54_321, 54_321]);
      expect(numbers(worker, 'Gid')).toEqual([54_322, 54_322, 54_322, 54_322]);
    }
  }
  for (let round = 0; round < 4; round++) expect(await nameOf(port, 'A.com')).toBe('one');
  await upstream.close();
});

it('ends with 1 and one line for a file that cannot be used', async () => {
  const { child, stderr } = start({ listeners: [8080], routes: [{ hostname: 'a', to: { port: 80, host: 'localhost' } }] });
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(1);
  expect(stderr()).toBe('Error: invalid route (0): invalid host\n');
});
