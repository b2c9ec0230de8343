import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ourCommand } from '../helpers/compiled.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { startLineServer } from '../helpers/line-server.js';
import { connectClient } from '../helpers/raw-client.js';

const running = new Set<ChildProcessWithoutNullStreams>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** Starts the command with these variables and no others. */
function start(env: Readonly<Record<string, string>>, ...words: string[]) {
  const args = [ourCommand()[1], 'tcp', ...words];
  const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH ?? '', ...env } });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended: once(child, 'close') };
}

const complete = {
  LOG_LEVEL: '3',
  LOCAL_HOST: '127.0.0.1',
  LOCAL_PORT: '0',
  PROXY_CONNECTIONS_CNT: '1',
  TARGET_HOST_1: '127.0.0.1',
  TARGET_PORT_1: '9',
};

test('a variable that is missing is named in one line, and the exit code is 1', async () => {
  const required = ['LOG_LEVEL', 'LOCAL_PORT', 'PROXY_CONNECTIONS_CNT', 'TARGET_HOST_1'];
  const started = required.map((missing) => start({ ...complete, [missing]: '' }));
  for (const { ended } of started) expect(await ended).toEqual([1, null]);
  expect(started.map(({ stderr }) => stderr())).toEqual(required.map((missing) => `cjs-proxy: Env "${missing}" is required\n`));
}, 20_000);

test('a port that is taken is one clear line and exit code 1', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const { stderr, ended } = start({ ...complete, LOCAL_PORT: `${port}` });
  expect(await ended).toEqual([1, null]);
  taken.close();
  expect(stderr()).toBe(
    `cjs-proxy: stream proximux: cannot listen on 127.0.0.1:${port}: another program listens there; stop it or choose another place\n`,
  );
});

test('it multiplexes as its environment says, logs JSON lines with masked addresses, and ends with 0 on SIGTERM', async () => {
  const server = await startLineServer();
  const port = await freePort();
  const { child, stdout, stderr, ended } = start(
    { ...complete, LOCAL_PORT: `${port}`, TARGET_PORT_1: `${server.port}`, EXCHANGE_FRAMING: 'line' },
    '--warmup',
  );
  await eventually('the line that it listens', () => stdout().includes('listening'), 15_000);
  expect(server.accepted).toBe(1);
  const clients = await Promise.all([connectClient(port), connectClient(port)]);
  for (const [index, client] of clients.entries()) client.send(`hello ${index}\n`);
  const answers = await Promise.all(clients.map(async (client) => (await client.queue.until('\n')).toString()));
  expect(answers).toEqual(['re:hello 0\n', 're:hello 1\n']);
  expect(server.accepted).toBe(1);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  await server.close();
  const lines = stdout()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  expect(lines[0]).toEqual({
    t: expect.stringMatching(/^\d{4}-/),
    s: 'proximux',
    l: 'info',
    d: `listening on 127.0.x.x:${port} in mode fifo`,
  });
  expect(lines.filter(({ d }) => d === 'connected from 127.0.x.x')).toHaveLength(2);
  expect(stderr()).toBe('');
});
