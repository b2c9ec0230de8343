// The examples of docs/access.md, typed into a shell: what they write is understood without a fault.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PasswordHash, parsePasswordHash, verifyPassword } from '../../src/auth/password-hash.js';
import { parseAuthProvider } from '../../src/model/auth-provider.js';
import { parsePolicy } from '../../src/model/policy/policy.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';

const page = readFileSync('docs/access.md', 'utf8');
const blocks = page.match(/(?:^ {4}.*\n)+/gm) ?? [];
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
  const here = `redis-cli() { command redis-cli -p ${redis.port} "$@"; }`;
  await promisify(execFile)('bash', ['-euc', `${here}\nTOKEN=t0k3n\n${blocks.join('')}`]);
});

afterAll(() => redis.stop());

const valuesOf = async (key: string): Promise<string[]> => Object.entries(await redis.client.hgetall(key)).flat();

it('docs/access.md: the policy keeps out whom it should', async () => {
  const { policy, faults } = parsePolicy(await valuesOf('route:example.com'));
  expect(faults).toEqual([]);
  expect(policy.authProvider).toBe('staff');
  expect([policy.allow?.has('10.1.2.3'), policy.deny?.has('10.0.0.66')]).toEqual([true, true]);
});

it.each(['staff', 'robots', 'login', 'sso'])('docs/access.md: auth:%s is a provider', async (name) => {
  expect(parseAuthProvider({ values: await valuesOf(`auth:${name}`), fault: '' })).toMatchObject({ kind: 'settings' });
});

it('docs/access.md: the hash is one of a password, as the page describes it', async () => {
  const hash = parsePasswordHash((await redis.client.hget('auth:staff', 'user:alice')) ?? '') as PasswordHash;
  expect(await verifyPassword('correct horse', hash)).toBe(true);
});
