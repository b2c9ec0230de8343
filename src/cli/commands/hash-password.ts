// `cjs-proxy hash-password`: makes what an `auth:` record keeps of a password. It is read from stdin, since words of a command line
// are seen by everybody on the machine.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { hashPassword } from '../../auth/password-hash.js';

/**
 * Reads one line and prints its hash; on a terminal the line is not shown.
 * @returns the exit code: 1 where there is no password
 */
export async function hashPasswordOf(input: NodeJS.ReadStream): Promise<number> {
  const password = await firstLine(input);
  if (password === '') {
    process.stderr.write('cjs-proxy: no password was given; write it to stdin, in one line\n');
    return 1;
  }
  process.stdout.write(`${await hashPassword(password)}\n`);
  return 0;
}

function firstLine(input: NodeJS.ReadStream): Promise<string> {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: hidden, terminal: input.isTTY === true });
  if (input.isTTY) process.stderr.write('Password: ');
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => {
      if (input.isTTY) process.stderr.write('\n');
      resolve('');
    });
  });
}
