// Runs the command in a process of its own, as a person or a script does, and gives what it wrote and what it ended with.
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { ourCommand } from './compiled.js';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads. */
  readonly stdin?: string;
  readonly cwd?: string;
}

/** @param words the command line behind `cjs-proxy` */
export function runCli(words: readonly string[], { env = {}, stdin = '', cwd = tmpdir() }: RunOptions = {}): Promise<Ended> {
  return new Promise((done, fail) => {
    const [node, command] = ourCommand();
    const child = spawn(node, [command, ...words], { cwd, env: { PATH: process.env.PATH, HOME: cwd, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}
