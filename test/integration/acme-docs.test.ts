// docs/acme.md: its configurations, commands, hook and rights in Redis, as a reader would use them, with pebble in the authority's place.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { type AcmeNode, orderPatience, startAcmeNode } from '../helpers/acme-node.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type Pebble, startPebble } from '../helpers/pebble.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';

const folder = mkdtempSync(join(tmpdir(), 'acme-docs-'));
const page = readFileSync('docs/acme.md', 'utf8');
const rights = readFileSync('docs/security.md', 'utf8');

/** The blocks of a language, in order. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter((found) => found[1] === language)
    .map((found) => found[2] ?? '');
}

let redis: TestRedis;
let pebble: Pebble;
let ports: { readonly http: number; readonly https: number };
let node: AcmeNode | null = null;

beforeAll(async () => {
  ports = { http: await freePort(), https: await freePort() };
  redis = await startRedis();
  pebble = await startPebble({ httpPort: ports.http, tlsPort: ports.https });
  const accounts = [...blocks(rights, 'acl'), ...blocks(page, 'acl')].flatMap((block) => block.trim().split('\n'));
  for (const line of accounts.filter((one) => one.includes(' cjs-node '))) expect(await redis.cli(...line.split(' '))).toBe('OK');
});
afterAll(async () => {
  await pebble.stop();
  await redis.stop();
  rmSync(folder, { recursive: true });
});
afterEach(() => node?.close());

/** Starts a node with what a configuration of the page says of `acme`. */
async function startWith(json: string): Promise<AcmeNode> {
  const hook = join(folder, 'dns-hook');
  const settings = JSON.parse(json.replace('/etc/cjs-proxy/dns-hook', hook)) as Record<string, unknown>;
  const { acme } = loadConfig({ settings, env: {}, root: false });
  expect(acme.directory).toMatch(/^https:/);
  const driver = redis.url.replace('redis://', 'redis://cjs-node:CHANGE-ME@');
  const own = { ...acme, directory: pebble.directory, ca: [pebble.caFile] };
  return startAcmeNode({ pebble, driver, ports, acme: own });
}

/** Runs the commands of a block, and gives what they printed. */
function run(block: string): string {
  const command = block.replaceAll('redis-cli ', `redis-cli -p ${redis.port} `);
  return execFileSync('bash', ['-euc', command], { encoding: 'utf8' });
}

const [ordered, hook, wildcard, problem] = blocks(page, 'sh') as [string, string, string, string];
const [plain, byDns] = blocks(page, 'json') as [string, string];

it('the first configuration and two commands are all that it takes, with the rights that the page names', async () => {
  node = await startWith(plain);
  expect(run(ordered)).toBe('2\n1\n');
  const root = await pebble.root();
  await eventually('the certificate', () => node?.shown('www.example.com', root), orderPatience);
  expect(run(problem)).toBe('\n');
});

it('a wildcard is proved by the hook of the page, which cleans up after itself', async () => {
  expect(hook).toMatch(/^#!\/bin\/sh\n/);
  writeFileSync(join(folder, 'dns-hook'), hook.replaceAll('https://dns.example.com', pebble.names));
  chmodSync(join(folder, 'dns-hook'), 0o755);
  node = await startWith(byDns);
  expect(run(wildcard)).toBe('2\n1\n');
  const root = await pebble.root();
  await eventually('the certificate', () => node?.shown('any.example.com', root), orderPatience);
  expect(pebble.said()).toMatch(/Removed DNS-01 TXT challenge for Host "_acme-challenge\.example\.com\./);
});
