// A node that was started as root: its workers give up everything that root has, its logs can still be rotated.
import { chmodSync, mkdtempSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { processStatus, type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const asRoot = process.getuid?.() === 0;
if (!asRoot) console.warn('Privileges are not tested: only root can give them up. Run the tests as root for that.');

/** Numbers that no account needs to have: dropping must work in a container with hardly any accounts. */
const someone = 54_321;
const nodes: SpawnedNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
});

async function serve(settings: {
  user: string | number;
  group?: string | number;
  server?: Record<string, unknown>;
}): Promise<SpawnedNode> {
  const node = await spawnNode(settings);
  nodes.push(node);
  await node.serving();
  return node;
}

/** Numbers behind a name in /proc/<pid>/status, e.g. the four user ids behind `Uid`. */
function numbers(pid: number, name: string): number[] {
  const line = new RegExp(`^${name}:(.*)$`, 'm').exec(processStatus(pid))?.[1] ?? '';
  return line.split(/\s+/).filter(Boolean).map(Number);
}

function idOf(file: string, name: string): number {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  return Number(line?.split(':')[2]);
}

/** A folder that other accounts may enter, with the path of a log in it. */
function logPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-log-'));
  chmodSync(folder, 0o755);
  return join(folder, 'access.log');
}

describe.skipIf(!asRoot)('a node that was started as root', () => {
  it('runs its workers as the user and the group, without the supplementary groups of root', async () => {
    const node = await serve({ user: 'nobody', group: 'daemon' });
    const user = idOf('/etc/passwd', 'nobody');
    const group = idOf('/etc/group', 'daemon');
    const workers = node.workers();
    expect(workers).toHaveLength(2);
    for (const worker of workers) {
      expect(numbers(worker, 'Uid')).toEqual([user, user, user, user]);
      expect(numbers(worker, 'Gid')).toEqual([group, group, group, group]);
      expect(numbers(worker, 'Groups')).toEqual([group]);
      expect(numbers(worker, 'CapEff')).toEqual([0]);
    }
    expect(numbers(node.pid, 'Uid')).toEqual([0, 0, 0, 0]);
    expect(node.stderr()).toContain('Dropping privileges to nobody:daemon');
  });

  it('takes numbers, with the group of the same number', async () => {
    const node = await serve({ user: someone });
    for (const worker of node.workers()) {
      expect(numbers(worker, 'Uid')).toEqual([someone, someone, someone, someone]);
      expect(numbers(worker, 'Groups')).toEqual([someone]);
    }
  });

  it('gives up root in one process too', async () => {
    const node = await serve({ user: someone, server: { workers: 0 } });
    expect(numbers(node.pid, 'Uid')).toEqual([someone, someone, someone, someone]);
    expect(numbers(node.pid, 'Groups')).toEqual([someone]);
  });

  it('replaces a killed worker by one that has given up root as well', async () => {
    const node = await serve({ user: someone, server: { workers: 1 } });
    const [victim = 0] = node.workers();
    process.kill(victim, 'SIGKILL');
    const [worker = 0] = await eventually(
      'another worker',
      () => {
        const workers = node.workers().filter((pid) => pid !== victim);
        return workers.length === 1 && numbers(workers[0] ?? 0, 'Uid')[0] === someone ? workers : null;
      },
      10_000,
    );
    expect(numbers(worker, 'Groups')).toEqual([someone]);
  });

  it('hands its access log to the user, also after a rotation', async () => {
    const log = logPath();
    const node = await serve({ user: someone, server: { accessLog: log } });
    expect(statSync(log).uid).toBe(someone);
    renameSync(log, `${log}.1`);
    node.kill('SIGUSR1');
    await eventually('a line in the new file', async () => {
      await ask(node.port, 'unknown.example', '/after');
      try {
        return readFileSync(log, 'utf8').includes('/after');
      } catch {
        return false;
      }
    });
    expect(statSync(log).uid).toBe(someone);
    expect(node.stderr()).not.toContain('could not be opened anew');
  });

  it('gives away no file that a symbolic link in the place of the log points to', async () => {
    const log = logPath();
    const victim = `${log}.precious`;
    writeFileSync(victim, '');
    symlinkSync(victim, log);
    const node = await serve({ user: someone, server: { accessLog: log } });
    expect(statSync(victim).uid).toBe(0);
    expect(node.stderr()).toContain('is a symbolic link');
  });

  it.each([
    { setting: 'user', settings: { user: 'no-such-account' } },
    { setting: 'group', settings: { user: 'nobody', group: 'no-such-group' } },
  ])('says in one line that there is no such $setting', async ({ setting, settings }) => {
    const node = await spawnNode(settings, ['--quiet']);
    nodes.push(node);
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(node.stderr()).toMatch(new RegExp(`^cjs-proxy: there is no ${setting} "no-such-[a-z]+" on this machine[^\\n]*\\n$`));
  });
});
