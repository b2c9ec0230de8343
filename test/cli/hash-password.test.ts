import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { type PasswordHash, parsePasswordHash, verifyPassword } from '../../src/auth/password-hash.js';
import { ourCommand } from '../helpers/compiled.js';

/** Runs the command with a text on its stdin. */
function run(input: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((done, fail) => {
    const [node, command] = ourCommand();
    const child = spawn(node, [command, 'hash-password']);
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
    child.stdin.end(input);
  });
}

test('D.5 22: cjs-proxy hash-password prints the hash of the line on stdin, which the password matches', async () => {
  const { code, stdout, stderr } = await run('correct horse\nnext line\n');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const hash = parsePasswordHash(stdout) as PasswordHash;
  expect(await verifyPassword('correct horse', hash)).toBe(true);
  expect(await verifyPassword('correct horse\n', hash)).toBe(false);
});

test('cjs-proxy hash-password says what to do without a password, and ends with 1', async () => {
  expect(await run('')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'cjs-proxy: no password was given; write it to stdin, in one line\n',
  });
});
