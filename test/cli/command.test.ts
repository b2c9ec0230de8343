// The command as scripts use it: where it finds the API and the token, what it writes where, what it ends with; and what shells complete.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../helpers/free-port.js';
import { startApi, type TestApi } from '../helpers/management.js';
import { runCli } from '../helpers/run-cli.js';
import { runMain } from '../helpers/run-main.js';

const secret = 'sesame-open';
let api: TestApi;
let folder: string;

beforeAll(async () => {
  const sha256 = createHash('sha256').update(secret).digest('hex');
  api = await startApi('memory:', { tokens: [{ name: 'ci', sha256, role: 'write', hosts: [] }] });
  await api.store.writeFrontend('example.com', 'site', ['http://10.0.0.1:80#id=one']);
  folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-command-'));
  writeFileSync(join(folder, 'token'), `${secret}\n`);
});

afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

it('finds the API and the token in the environment, and writes JSON and nothing else to stdout', async () => {
  const env = { CJS_PROXY_API: api.url, CJS_PROXY_TOKEN: secret };
  const { code, stdout, stderr } = await runCli(['frontend', 'ls', '--json'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject([{ vHost: 'example.com', id: 'site' }]);
});

it('finds them in the configuration, and by flags that go before it', async () => {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ api: { url: api.url, tokenFile: join(folder, 'token') } }));
  expect(await runMain(['frontend', 'ls', '--config', file])).toMatchObject({ code: 0, stderr: '' });
  expect(await runMain(['frontend', 'ls', '--config', file, '--token', 'wrong'])).toMatchObject({
    code: 1,
    stderr: 'cjs-proxy: The token is not known: give the token with --token-file, or in CJS_PROXY_TOKEN\n',
  });
  const elsewhere = `http://127.0.0.1:${await freePort()}`;
  const flags = ['--api', api.url, '--token-file', join(folder, 'token')];
  expect(await runMain(['frontend', 'ls', ...flags], { CJS_PROXY_API: elsewhere })).toMatchObject({ code: 0, stderr: '' });
});

it('says in one line that nobody is there, or who it is that answers', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { code, stdout, stderr } = await runCli(['frontend', 'ls', '--api', url]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    `cjs-proxy: the management API at ${url} cannot be asked: nobody listens there: start it with \`cjs-proxy api\`, ` +
      'name another place with --api, or the store itself with --driver\n',
  );
  expect(await runMain(['frontend', 'ls', '--driver', 'memory:'])).toMatchObject({
    code: 1,
    stderr: 'cjs-proxy: memory: lives in the node that serves from it: ask that node, by --api\n',
  });
});

it.each([
  [['frontend', 'ad'], 'error: unknown command "frontend ad"; did you mean "frontend add"?\n'],
  [['frontnd'], 'error: unknown command "frontnd"; did you mean "frontend"?\n'],
  [['backend', 'rm', 'example.com'], "error: missing required argument 'backend'\n"],
  [['frontend', 'ls', '--api', 'x', '--driver', 'y'], 'cjs-proxy: give either --api or --driver\n'],
  [
    ['frontend', 'ls', '--api', '127.0.0.1'],
    'cjs-proxy: the management API is named by a URL such as http://127.0.0.1:8081 (the token goes by itself)\n',
  ],
  [['frontend', 'add', 'a.test', '--set', 'retries'], 'cjs-proxy: "retries" is no NAME=VALUE\n'],
  [['completion', 'fish'], 'cjs-proxy: there is no completion for "fish"; allowed: bash, zsh\n'],
])('ends with 2 for %j, which it does not understand', async (words, text) => {
  const { code, stdout, stderr } = await runMain(words, { CJS_PROXY_API: api.url, CJS_PROXY_TOKEN: secret });
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: text });
});

it('makes bash complete commands, those of a group, and options', async () => {
  const script = (await runMain(['completion', 'bash'])).stdout;
  const completed = (...words: string[]): string[] => {
    const call = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _cjs_proxy; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', `${script}\n${call}`], { encoding: 'utf8' })
      .trim()
      .split(' ');
  };
  expect(completed('cjs-proxy', 'fro')).toEqual(['frontend']);
  expect(completed('cjs-proxy', 'backend', '')).toEqual(expect.arrayContaining(['add', 'rm', 'dead', 'alive', 'drain']));
  expect(completed('cjs-proxy', '--config', 'x.json', 'frontend', 'add', 'a.test', '--str')).toEqual(['--strategy']);
});

it('writes a zsh script that describes what it completes', async () => {
  const { code, stdout } = await runMain(['completion', 'zsh']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^#compdef cjs-proxy\n/);
  expect(stdout).toContain("'frontend') next=('add:make a frontend\\: example.com");
});
