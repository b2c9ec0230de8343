import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KeyVault } from '../../src/certs/key-vault.js';
import { selfSigned } from '../helpers/certs.js';
import { ourCommand } from '../helpers/compiled.js';

const secret = randomBytes(32).toString('base64');

function run(input: string, env: Record<string, string>): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((done, fail) => {
    const [node, command] = ourCommand();
    const words = [command, 'encrypt-key', 'Site.example.com'];
    const child = spawn(node, words, { env: { PATH: process.env.PATH, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

test('cjs-proxy encrypt-key prints the key from stdin encrypted for its name, and encrypts it anew with a newer secret', async () => {
  const { key } = selfSigned('site.example.com');
  const first = await run(key, { CJS_PROXY_HTTPS_STORE_KEYS: secret });
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^enc:v1:[0-9a-f]{8}:[\w+/=]+\n$/) });
  expect(new KeyVault([secret]).open('tls:site.example.com', first.stdout)).toBe(key);
  const newer = randomBytes(32).toString('hex');
  const second = await run(first.stdout, { CJS_PROXY_HTTPS_STORE_KEYS: `${newer},${secret}` });
  expect(new KeyVault([newer]).open('tls:site.example.com', second.stdout)).toBe(key);
});

test('cjs-proxy encrypt-key says what it lacks', async () => {
  const [withoutSecret, withoutKey] = await Promise.all([run('', {}), run('hello', { CJS_PROXY_HTTPS_STORE_KEYS: secret })]);
  expect(withoutSecret).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('there is no secret to encrypt with'),
  });
  expect(withoutKey).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('what came by stdin holds no private key'),
  });
});
