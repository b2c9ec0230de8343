// The tables of streams in sessions of node:http2, on this version of Node.
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { useOwnTables } from '../../../src/http2/session-tables.js';

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** Both ends of a connection, each with our tables. */
async function openSessions(): Promise<{ client: ClientHttp2Session; server: ServerHttp2Session; taken: boolean[] }> {
  const listening = createServer();
  const session = new Promise<ServerHttp2Session>((resolve) => listening.on('session', resolve));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`);
  const taken = [useOwnTables(client)];
  const server = await session;
  taken.push(useOwnTables(server));
  endings.push(
    () => client.destroy(),
    () => listening.close(),
  );
  return { client, server, taken };
}

describe('our tables of streams in a session', () => {
  it('take the place of those that node:http2 has on both sides, and serve requests', async () => {
    const { client, server, taken } = await openSessions();
    expect(taken).toEqual([true, true]);
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('answer');
    });
    const answers = Array.from({ length: 60 }, async () => {
      let text = '';
      for await (const piece of client.request({ ':path': '/' })) text += piece;
      return text;
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['answer']));
  });

  it('end with the session all streams that are open', async () => {
    const { client, server } = await openSessions();
    const opened = new Promise<void>((resolve) => {
      let count = 0;
      server.on('stream', (stream) => {
        stream.on('error', () => {});
        if (++count === 3) resolve();
      });
    });
    const closed = Array.from({ length: 3 }, () => {
      const stream = client.request({ ':path': '/' });
      return new Promise<void>((resolve) => stream.on('error', () => {}).on('close', resolve));
    });
    await opened;
    server.destroy();
    await Promise.all(closed);
  });

  it('leave an object alone that has no such state', () => {
    expect(useOwnTables({} as ServerHttp2Session)).toBe(false);
    expect(useOwnTables({ [Symbol('state')]: { streams: [] } } as unknown as ServerHttp2Session)).toBe(false);
  });
});
