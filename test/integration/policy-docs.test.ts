// docs/policy.md: every example of the page, typed into a shell, does what the page says.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { policyTable } from '../../src/model/policy/reference.js';
import { EventBus } from '../../src/observe/events.js';
import { ourCommand } from '../helpers/compiled.js';
import { asPattern, type ConsoleSection, type ConsoleStep, readConsolePage } from '../helpers/console-page.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const page = 'docs/policy.md';
const [beginning, ...sections] = readConsolePage(page) as [ConsoleSection, ...ConsoleSection[]];
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-page-'));
const changed = new Set<string>();
let redis: TestRedis;
let proxy: StartedProxy;
let backends: Server[];
let curl = '';
let barriers = 0;
/** Ports of the page and those that stand in for them. */
let ports: (readonly [string, string])[] = [];

beforeAll(async () => {
  redis = await startRedis();
  backends = await Promise.all(['one', 'two', 'three'].map(startBackend));
  ports = [
    ...backends.map((server, at) => [String(3001 + at), String((server.address() as AddressInfo).port)] as const),
    ['6379', String(redis.port)],
  ];
  curl = await pathOf('curl');
  program('redis-cli', `exec ${await pathOf('redis-cli')} -p ${redis.port} "$@"`);
  program('cjs-proxy', `exec ${ourCommand().join(' ')} "$@"`);
}, 30_000);

/** A proxy of its own for each part of the page: whose turn it is is nobody's from the part before. */
beforeEach(async () => {
  await redis.client.flushall();
  const events = new EventBus((_name, error) => expect.fail(String(error)));
  events.on('route.changed', ({ vHost }) => changed.add(vHost));
  proxy = await startProxy({ driver: redis.url, server: { httpsPort: 443, retryOnError: 0 } }, { events });
  program('curl', `exec ${curl} --connect-to ::127.0.0.1:${proxy.port} "$@"`);
});

afterEach(() => proxy.close());

afterAll(async () => {
  for (const server of backends) {
    server.closeAllConnections();
    server.close();
  }
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

// After a change of the schemas: npx vitest run test/integration/policy-docs.test.ts --update
it('has the table of all fields as the schemas have them', async () => {
  const [before, rest = ''] = readFileSync(page, 'utf8').split('<!-- fields: begin -->');
  const after = rest.split('<!-- fields: end -->')[1];
  const written = `${before}<!-- fields: begin -->\n${policyTable()}\n<!-- fields: end -->${after}`;
  await expect(written).toMatchFileSnapshot(`../../${page}`);
});

it('has examples for each capability', () => {
  expect(sections.length).toBeGreaterThanOrEqual(17);
});

it.each(sections.map((section) => [section.title, section] as const))('%s', async (_title, { steps }) => {
  for (const step of [...beginning.steps, ...steps]) await check(step);
});

/** Types one command. A curl that says nothing would prove nothing, so that its output has to stand below it. */
async function check({ command, output }: ConsoleStep): Promise<void> {
  const typed = ports.reduce((text, [shown, real]) => text.replaceAll(`127.0.0.1:${shown}`, `127.0.0.1:${real}`), command);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH ?? ''}` };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', typed], { cwd: folder, env });
  const printed = ports.reduce((text, [shown, real]) => text.replaceAll(`127.0.0.1:${real}`, `127.0.0.1:${shown}`), stdout);
  if (/^redis-cli/.test(command)) await told();
  else expect(output, command).not.toBe('');
  if (output !== '') expect(printed.replaceAll('\r', '').trimEnd(), command).toMatch(asPattern(output));
}

/** The proxy is told of changes in their order: when it knows this one it knows all before. */
async function told(): Promise<void> {
  const name = `barrier-${++barriers}.test`;
  await redis.client.rpush(`frontend:${name}`, name);
  await eventually('the proxy to be told', () => changed.has(name));
}

function program(name: string, line: string): void {
  writeFileSync(join(folder, name), `#!/bin/bash\n${line}\n`);
  chmodSync(join(folder, name), 0o755);
}

async function pathOf(name: string): Promise<string> {
  return (await run('bash', ['-c', `command -v ${name}`])).stdout.trim();
}

/** What the page says of its backends. */
async function startBackend(name: string): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith('/hold')) setTimeout(() => response.end(`${name}\n`), 500).unref();
    else answer(name, request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

const untold = /^x-(forwarded-(for|host|port|proto|protocol)|real-ip|request-id)$/i;

function answer(name: string, { method, url = '', rawHeaders }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/plain');
  if (url.startsWith('/fail') && name === 'one') response.statusCode = 500;
  if (!url.startsWith('/show')) {
    response.end(`${name}\n`);
    return;
  }
  const lines = rawHeaders.flatMap((field, at) => {
    const shown = at % 2 === 0 && /^(host|x-.*)$/i.test(field) && !untold.test(field);
    return shown ? [`${field}: ${rawHeaders[at + 1]}`] : [];
  });
  const host = lines.filter((line) => /^host:/i.test(line));
  response.end(`${[`${method} ${url}`, ...host, ...lines.filter((line) => !host.includes(line))].join('\n')}\n`);
}
