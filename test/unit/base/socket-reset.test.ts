import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type ListenOptions, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { resetSocket, wasReset } from '../../../src/base/socket-reset.js';

/** Both ends of a connection. */
async function pair(where: ListenOptions): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(where);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const near = where.path === undefined ? connect({ port, host: '127.0.0.1', allowHalfOpen: true }) : connect(where.path);
  await once(near, 'connect');
  const [far] = await accepted;
  return [near, far];
}

describe('a connection that is reset', () => {
  it('is not closed before: its peer is told of the reset and of no end', async () => {
    const [near, far] = await pair({ port: 0, host: '127.0.0.1' });
    const closesSending = vi.spyOn(near, 'end');
    let ended = false;
    far.on('end', () => {
      ended = true;
    });
    near.write('half of an answer');
    await once(far, 'data');
    const failed = once(far, 'error') as Promise<[NodeJS.ErrnoException]>;
    resetSocket(near);
    expect((await failed)[0].code).toBe('ECONNRESET');
    expect(ended).toBe(false);
    expect(closesSending).not.toHaveBeenCalled();
    expect(near.destroyed).toBe(true);
  });

  it('is told from one that ends, also where the event loop tells both as an end', async () => {
    for (const reset of [true, false]) {
      const [near, far] = await pair({ port: 0, host: '127.0.0.1' });
      far.resume();
      const ended = once(near, 'end');
      near.resume();
      far.write('the last bytes');
      if (reset) resetSocket(far);
      else far.end();
      await ended;
      expect(wasReset(near)).toBe(reset);
      near.destroy();
    }
  });

  it('is closed where there is no reset: a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-reset-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [near, far] = await pair({ path: join(folder, 'socket') });
    far.resume();
    const closed = once(far, 'end');
    resetSocket(near);
    await closed;
    far.destroy();
  });

  it('may be gone already', async () => {
    const [near, far] = await pair({ port: 0, host: '127.0.0.1' });
    far.destroy();
    near.destroy();
    resetSocket(near);
    expect(near.destroyed).toBe(true);
  });
});
