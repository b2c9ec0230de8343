// `npm start` as a newcomer runs it: it builds, serves, prints commands that work as they are printed, and Ctrl-C ends it cleanly.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { run, stageProject } from '../helpers/staged-project.js';

let project: string;
let start: ChildProcess;
let port: number;
let output = '';

/** In a process group of its own, so that a signal can reach all of it as Ctrl-C does. */
function npmStart(onPort: number): ChildProcess {
  return spawn('npm', ['start'], {
    cwd: project,
    env: { ...process.env, PORT: String(onPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

beforeAll(async () => {
  project = stageProject();
  port = await freePort();
  start = npmStart(port);
  const read = (chunk: Buffer) => {
    output += chunk.toString();
  };
  start.stdout?.on('data', read);
  start.stderr?.on('data', read);
  await eventually('the introduction', () => output.includes('Ctrl-C ends it.') || start.exitCode !== null, 200_000);
}, 240_000);

afterAll(() => {
  if (start.exitCode === null && start.signalCode === null && start.pid !== undefined) process.kill(-start.pid, 'SIGKILL');
  rmSync(project, { recursive: true, force: true });
});

describe('npm start', () => {
  it('answers on the address that it names', async () => {
    expect(output).toContain(`http://127.0.0.1:${port}`);
    const answer = await ask(port, `127.0.0.1:${port}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('Hello, this is backend');
  });

  it('prints curl commands that work', async () => {
    const commands = output.match(/^ {2}curl .*?(?= +#)/gm) ?? [];
    expect(commands.length).toBeGreaterThanOrEqual(3);
    for (const command of commands) {
      const status = await run('bash', ['-c', `${command.trim()} -s -o /dev/null -w '%{http_code}'`], project);
      expect(status, command).toBe(command.includes('nobody.example') ? '400' : '200');
    }
  });

  it('says how to use Redis instead', () => {
    expect(output).toContain('redis-cli rpush frontend:example.com example http://127.0.0.1:3000');
    expect(output).toContain('npx cjs-proxy --config');
  });

  it('ends with exit code 0 after Ctrl-C', async () => {
    const ended = once(start, 'close');
    process.kill(-(start.pid ?? 0), 'SIGINT');
    expect(await ended).toEqual([0, null]);
    await expect(ask(port, '127.0.0.1')).rejects.toThrow();
  });

  it('says how to take another port when the one is busy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: busy } = other.address() as { port: number };
    const second = npmStart(busy);
    let said = '';
    second.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    second.stdout?.resume();
    const [code] = await once(second, 'close');
    other.close();
    expect(code).toBe(1);
    expect(said).toContain(`cannot listen on 127.0.0.1:${busy}`);
    expect(said).toContain('PORT=8081 npm start');
  }, 90_000);
});
