// What a service manager is told: ready, reloading, stopping, alive.
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNotifier } from '../../src/proxy/notify.js';
import { eventually } from '../helpers/eventually.js';
import { type NotifySocket, openNotifySocket } from '../helpers/notify-socket.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const sockets: NotifySocket[] = [];
const nodes: SpawnedNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
  await Promise.all(sockets.splice(0).map((socket) => socket.close()));
});

async function open(path?: string): Promise<NotifySocket> {
  const socket = await openNotifySocket(path);
  sockets.push(socket);
  return socket;
}

function names({ messages }: NotifySocket): string[] {
  return messages.map(([first = '']) => first).filter((first) => first !== 'WATCHDOG=1');
}

describe('a node under a service manager', () => {
  it('tells that it is ready, that it reloads, that it is alive, and that it stops', async () => {
    const socket = await open();
    const node = await spawnNode({}, [], { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '400000' });
    nodes.push(node);
    await eventually('READY=1', () => names(socket).includes('READY=1'), 20_000);
    expect(socket.messages.find(([first]) => first === 'READY=1')?.[1]).toMatch(/^STATUS=Serving http.* with 2 workers$/);
    await eventually('signs of life', () => socket.messages.filter(([first]) => first === 'WATCHDOG=1').length >= 3);
    const before = process.hrtime.bigint() / 1000n;
    node.kill('SIGHUP');
    await eventually('READY=1 again', () => names(socket).filter((name) => name === 'READY=1').length === 2, 15_000);
    expect(names(socket)).toEqual(['READY=1', 'RELOADING=1', 'READY=1']);
    const reloading = socket.messages.find(([first]) => first === 'RELOADING=1')?.[1] ?? '';
    const since = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(reloading)?.[1] ?? 0);
    expect(since >= before && since <= process.hrtime.bigint() / 1000n).toBe(true);
    node.kill('SIGTERM');
    await node.ended;
    await eventually('STOPPING=1', () => names(socket).at(-1) === 'STOPPING=1');
  });

  it('in one process tells it too', async () => {
    const socket = await open();
    const node = await spawnNode({ driver: 'memory:', server: { workers: 0 } }, [], { NOTIFY_SOCKET: socket.path });
    nodes.push(node);
    await eventually('READY=1', () => names(socket).includes('READY=1'), 20_000);
    node.kill('SIGTERM');
    await node.ended;
    await eventually('STOPPING=1', () => names(socket).includes('STOPPING=1'));
  });
});

describe('a notifier', () => {
  /** A PATH on which there is only what is named. */
  function pathWith(...programs: readonly string[]): string {
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-path-'));
    for (const program of programs) symlinkSync(`/usr/bin/${program}`, join(folder, program));
    return folder;
  }

  it('sends by perl where there is no systemd-notify, also to a name without a file', async () => {
    const socket = await open(`@cjs-proxy-test-${process.pid}`);
    const { logger, lines } = recordingLogger();
    const notifier = createNotifier({ PATH: pathWith('perl'), NOTIFY_SOCKET: socket.path }, logger, () => true);
    notifier.ready('all\nis well');
    await notifier.flush();
    await eventually('the message', () => socket.messages.length === 1);
    expect(socket.messages).toEqual([['READY=1', 'STATUS=all is well']]);
    expect(lines).toEqual([]);
  });

  it('says once that it cannot tell anything', async () => {
    const { logger, lines } = recordingLogger();
    const notifier = createNotifier({ PATH: pathWith(), NOTIFY_SOCKET: '/nowhere/notify' }, logger, () => true);
    notifier.ready('well');
    notifier.stopping();
    await notifier.flush();
    expect(lines).toHaveLength(1);
    expect(lines[0]?.msg).toContain('systemd-notify or perl is needed');
  });

  it('starts nothing without a manager', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-path-'));
    const trace = join(folder, 'started');
    writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\n/usr/bin/touch ${trace}\n`);
    chmodSync(join(folder, 'systemd-notify'), 0o755);
    const { logger, lines } = recordingLogger();
    const notifier = createNotifier({ PATH: folder }, logger, () => true);
    notifier.ready('well');
    await notifier.flush();
    expect(lines).toEqual([]);
    const started = createNotifier({ PATH: folder, NOTIFY_SOCKET: '/nowhere/notify' }, logger, () => true);
    started.ready('well');
    await started.flush();
    expect((await import('node:fs')).existsSync(trace)).toBe(true);
  });

  it('gives no sign of life while the node is not alive, or when another process is watched', async () => {
    const socket = await open();
    const { logger } = recordingLogger();
    let asked = 0;
    const env = { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '40000' };
    createNotifier({ ...env, WATCHDOG_PID: '1' }, logger, () => expect.fail('another process is watched'));
    createNotifier(env, logger, () => {
      asked++;
      return false;
    });
    await eventually('some questions', () => asked > 3);
    expect(socket.messages).toEqual([]);
  });
});
