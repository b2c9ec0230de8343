// The examples of docs/tcp-multiplexing.md, run as they stand but for their ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { compiledProgram, ourCommand } from '../helpers/compiled.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { startLineServer } from '../helpers/line-server.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';

const page = readFileSync(resolve('docs/tcp-multiplexing.md'), 'utf8');

/** The one example in a language. */
function example(language: string): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((found) => found[1] as string);
  expect(blocks).toHaveLength(1);
  return blocks[0] as string;
}

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function answer(port: number, request: string): Promise<string> {
  const client = await eventually('somebody to listen', () => connectClient(port).catch(() => null), 15_000);
  ending.push(() => client.close());
  client.send(request);
  return (await client.queue.until('\n')).toString();
}

test('the stream before a Redis', async () => {
  const redis = await startRedis();
  ending.push(() => redis.stop());
  const port = await freePort();
  const text = example('json').replace('6400', String(port)).replace('6379', String(redis.port));
  const config = loadConfig({ env: {}, root: false, settings: JSON.parse(text) as Record<string, unknown> });
  const proxy = await createProxy({ ...config, logLevel: 'silent', server: { ...config.server, accessLog: 'none' } });
  ending.push(() => proxy.close());
  expect(await answer(port, 'PING\r\n')).toBe('+PONG\r\n');
});

test.each(['sh', 'js'])(
  'Proximux, by its example in %s',
  async (language) => {
    const server = await startLineServer();
    ending.push(() => server.close());
    const port = await freePort();
    const text = example(language).replace('9999', String(port)).replace('4444', String(server.port));
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-docs-'));
    ending.push(() => rmSync(folder, { recursive: true }));
    const [program, ...args] = language === 'sh' ? command(text) : script(text, folder);
    const child = spawn(program as string, args, { stdio: 'ignore' });
    ending.push(async () => {
      const ended = once(child, 'exit');
      if (child.kill('SIGTERM')) await ended;
    });
    expect(await answer(port, 'hello\n')).toBe('re:hello\n');
  },
  20_000,
);

/** The command of this checkout in the place of the one that is installed; `exec`, so that signals reach it. */
function command(text: string): string[] {
  const ours = `exec ${ourCommand().join(' ')}`;
  return ['sh', '-c', text.replace(/^(.*) cjs-proxy/, `export $1; ${ours}`)];
}

function script(text: string, folder: string): string[] {
  const file = join(folder, 'example.mjs');
  writeFileSync(file, text.replace("'cjs-proxy'", `'${pathToFileURL(compiledProgram('src/index')).href}'`));
  return [process.execPath, file];
}
