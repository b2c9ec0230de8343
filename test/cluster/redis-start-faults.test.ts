// A Redis that cannot be used as it is, or not to the full: one clear line says what to do.
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
  ['a wrong password', 'redis://:wrong@PLACE', 'refuses the user or password; check "driver"'],
  ['a missing password', 'redis://PLACE', 'asks for a password; put it into "driver"'],
  ['a database that it does not have', 'redis://:secret@PLACE/99', 'has no database of that number; check "driver"'],
  ['a scheme that nobody knows', 'redsi://PLACE', 'driver: '],
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
