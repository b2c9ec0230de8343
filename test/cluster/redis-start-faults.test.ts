// A Redis that cannot be used as it is, or not to the full: one clear line says what to do.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startRedis } from '../helpers/redis.js';
import { testConfig } from '../helpers/start-proxy.js';

it('a Redis that is too old to tell changes is polled, and one line says what to do', async () => {
  const redis = await startRedis({ args: ['--rename-command', 'CLIENT', 'client-of-later'] });
  onTestFinished(() => redis.stop());
  const { logger, lines } = recordingLogger();
  const proxy = await createProxy(testConfig({ driver: redis.url }), { logger });
  onTestFinished(() => proxy.close());
  expect(proxy.store.state).toBe('polling');
  const told = lines.map(({ msg }) => msg).filter((text) => text.includes('CLIENT TRACKING'));
  expect(told).toEqual([
    expect.stringMatching(/knows no CLIENT TRACKING, which Redis has since 6\.0: upgrade it .* within a second/),
  ]);
});

it.each([
  ['5', "ERR Unknown subcommand or wrong number of arguments for 'TRACKING'. Try CLIENT HELP"],
  ['3', 'ERR Syntax error, try CLIENT (LIST | KILL | GETNAME | SETNAME | PAUSE | REPLY)'],
])('a Redis %s is told in one line, whatever it says of the command', async (version, refusal) => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await redis.client.rpush('frontend:example.com', 'site', 'http://127.0.0.1:1');
  const old = await startOldRedis(redis.port, refusal);
  onTestFinished(() => old.close());
  const { logger, lines } = recordingLogger();
  const proxy = await createProxy(testConfig({ driver: `redis://127.0.0.1:${old.port}` }), { logger });
  onTestFinished(() => proxy.close());
  expect(proxy.store.state, version).toBe('polling');
  expect(lines.map(({ level, msg }) => `${level}: ${msg}`).filter((line) => line.includes('Redis'))).toEqual([
    expect.stringMatching(
      /^warn: Redis at .* knows no CLIENT TRACKING, which Redis has since 6\.0: upgrade it .* within a second/,
    ),
  ]);
  expect((await proxy.store.readFrontends(['example.com']))[0]?.list).toEqual(['site', 'http://127.0.0.1:1']);
});

it.each([
  ['a wrong password', 'redis://:wrong@PLACE', 'refuses the user or password; check "driver"'],
  ['a missing password', 'redis://PLACE', 'asks for a password; put it into "driver"'],
  ['a database that it does not have', 'redis://:secret@PLACE/99', 'has no database of that number; check "driver"'],
  ['a scheme that nobody knows', 'redsi://PLACE', 'driver: '],
  ['a port that is none', 'redis://127.0.0.1:redis', 'driver: '],
  ['a database that is no number', 'redis://PLACE/zero', 'driver: '],
  ['sentinels without the name of a primary', 'redis+sentinel://PLACE', 'driver: '],
])('%s is refused at the start in one line without the password', async (_what, driver, text) => {
  const redis = await startRedis({ args: ['--requirepass', 'secret'] });
  onTestFinished(() => redis.stop());
  const config = { ...testConfig(), driver: { read: '', write: '' } };
  const url = driver.replace('PLACE', `127.0.0.1:${redis.port}`);
  const refused = createProxy({ ...config, driver: { read: url, write: url } }).then(
    () => 'it started',
    (error: Error) => error.message,
  );
  const line = await refused;
  expect(line).toContain(text);
  expect(line).not.toContain('\n');
  expect(line).not.toMatch(/wrong@|secret/);
});

/** A server that speaks as one of long ago does about CLIENT TRACKING, with a real one behind it. */
async function startOldRedis(behind: number, refusal: string): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const real = connect(behind, '127.0.0.1');
    for (const socket of [client, real]) sockets.add(socket.on('error', () => undefined));
    // It is sent alone: the next command waits for its reply.
    client.on('data', (bytes) => {
      if (/^\*\d+\r\n\$6\r\nclient\r\n\$8\r\ntracking\r\n/i.test(bytes.toString('latin1'))) client.write(`-${refusal}\r\n`);
      else real.write(bytes);
    });
    real.on('data', (bytes) => client.write(bytes));
    client.on('close', () => real.destroy());
    real.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
