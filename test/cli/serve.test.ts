import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ourCommand } from '../helpers/compiled.js';
import { writeConfigFile } from '../helpers/config-file.js';
import { eventually } from '../helpers/eventually.js';

const running = new Set<ChildProcessWithoutNullStreams>();

/** Starts the command and gathers what it says. */
function start(...words: string[]): { child: ChildProcessWithoutNullStreams; stderr: () => string; ended: Promise<unknown[]> } {
  const [node, command] = ourCommand();
  const env = { PATH: process.env.PATH ?? '' };
  const child = spawn(node, [command, ...words], { env });
  running.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, stderr: () => stderr, ended: once(child, 'close') };
}

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

const settings = { driver: 'memory:', user: 'root', server: { accessLog: 'none' } };

test('cjs-proxy serves what the file says, tells its warnings once, and ends with 0 on SIGTERM', async () => {
  const file = writeConfigFile({ ...settings, server: { ...settings.server, port: 0, address: ['127.0.0.1'] } });
  const { child, stderr, ended } = start('--config', file);
  const served = await eventually('the proxy to serve', () => /Serving http:\/\/127\.0\.0\.1:(\d+)/.exec(stderr()), 15_000);
  const answer = await fetch(`http://127.0.0.1:${served[1]}/`, { headers: { connection: 'close' } });
  expect(answer.status).toBe(400);
  await answer.arrayBuffer();
  expect(stderr()).toContain(`Loading config from ${file}\n`);
  expect(stderr().split('`server.port` is deprecated')).toHaveLength(2);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('a busy port is one clear line and exit code 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const { stderr, ended } = start('--quiet', '--config', writeConfigFile({ ...settings, http: { port } }));
  expect(await ended).toEqual([1, null]);
  taken.close();
  expect(stderr().trimEnd().split('\n')).toEqual([expect.stringContaining(`127.0.0.1:${port}`)]);
});
