// SIGUSR1 reopens the access log; SIGHUP and SIGUSR2 are for the node alone; none of them ends a process or opens a debugger.
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const nodes: SpawnedNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
});

async function serve(server: Record<string, unknown>): Promise<SpawnedNode> {
  const node = await spawnNode({ server });
  nodes.push(node);
  await node.serving();
  return node;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe.each([
  { process: 'with workers', workers: 2 },
  { process: 'in one process', workers: 0 },
])('a node $process', ({ workers }) => {
  it('opens its access log anew on SIGUSR1', async () => {
    const log = join(mkdtempSync(join(tmpdir(), 'cjs-proxy-log-')), 'access.log');
    const node = await serve({ workers, accessLog: log });
    await ask(node.port, 'unknown.example', '/before');
    await eventually('the first line', () => contentOf(log).includes('/before'));
    renameSync(log, `${log}.1`);
    node.kill('SIGUSR1');
    await eventually(
      'a new file',
      () => contentOf(log).includes('/after') || ask(node.port, 'unknown.example', '/after').then(() => false),
    );
    expect(contentOf(`${log}.1`)).toContain('/before');
    expect(node.stderr()).toContain('Caught a SIGUSR1 signal, reopening the log file.');
    expect(node.stderr()).not.toContain('Debugger');
  });

  it('goes on serving after SIGHUP and SIGUSR2, and leaves those that come to its workers to it', async () => {
    const node = await serve({ workers });
    const before = node.workers();
    for (const worker of before) {
      for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.kill(worker, signal);
    }
    expect(await ask(node.port, '__ping__')).toEqual({ status: 200, body: 'ok' });
    expect(node.workers()).toEqual(before);
    for (const signal of ['SIGHUP', 'SIGUSR2'] as const) {
      node.kill(signal);
      await node.says(`Caught a ${signal} signal`);
    }
    await node.says(workers > 0 ? 'Every worker was replaced' : 'There are no workers to replace');
    expect(await ask(node.port, '__ping__')).toEqual({ status: 200, body: 'ok' });
    expect(node.stderr()).not.toContain('Debugger');
  });
});

describe('a node in one process', () => {
  it('checks a new configuration on SIGHUP, and says that it takes a restart', async () => {
    const node = await serve({ workers: 0 });
    node.kill('SIGHUP');
    await node.says('takes it over only by a restart');
    writeFileSync(node.file, JSON.stringify({ ...node.settings, http: { bind: ['nowhere'], port: -1 } }));
    node.kill('SIGHUP');
    await node.says('http.port is -1');
    expect(node.stderr().match(/is refused, the old one stays/g)).toHaveLength(2);
    expect(await ask(node.port, '__ping__')).toEqual({ status: 200, body: 'ok' });
  });
});
