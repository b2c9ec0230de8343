// Who observes attempts is told of the end of each exactly once, whatever becomes of it, by both engines.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/model/backend.js';
import type { Route } from '../../src/model/frontend.js';
import type { AttemptObserver } from '../../src/pipeline/attempt-observer.js';
import { head, World, withBody } from '../contract/engine/world.js';
import { ok, type RawBackend, type Script } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { handshake } from '../helpers/hipache.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

/** Writes down what it is told, e.g. `0 answered 200`. */
class Recorder implements AttemptObserver {
  readonly told: string[] = [];
  readonly milliseconds: number[] = [];

  started(_route: Route, { index }: Backend): void {
    this.told.push(`${index} started`);
  }

  answered(_route: Route, { index }: Backend, status: number, milliseconds: number): void {
    this.told.push(`${index} answered ${status}`);
    this.milliseconds.push(milliseconds);
  }

  failed(_route: Route, { index }: Backend, code: string): void {
    this.told.push(`${index} failed ${code}`);
  }

  ended(_route: Route, { index }: Backend): void {
    this.told.push(`${index} ended`);
  }
}

const resetting: Script = async (request, connection) => {
  await request.whole();
  connection.reset();
};

describe.each(['wire', 'http-proxy'] as const)('an observer of attempts (%s engine)', (engine) => {
  let proxy: StartedProxy;
  let world: World;
  let recorder: Recorder;
  /** The proxy has one list of observers for its life; a test has a recorder of its own. */
  const observer: AttemptObserver = {
    started: (route, backend) => recorder.started(route, backend),
    answered: (...args) => recorder.answered(...args),
    failed: (...args) => recorder.failed(...args),
    ended: (...args) => recorder.ended(...args),
  };

  beforeAll(async () => {
    proxy = await startProxy({ server: { engine, backendTimeout: 400, retryOnError: 1 } }, { observers: [observer] });
  });
  afterAll(() => proxy.close());
  beforeEach(() => {
    world = new World(proxy, engine);
    recorder = new Recorder();
  });
  afterEach(() => world.close());

  /** A frontend of these backends with a policy, in turn. */
  async function serves(...backends: readonly (RawBackend | string)[]): Promise<string> {
    const host = await world.frontend(...backends);
    await proxy.proxy.store.writeRecord('route', host, ['strategy', 'ROUND_ROBIN']);
    return host;
  }

  const toldInTheEnd = async (...lines: readonly string[]) => {
    await eventually('the last attempt to end', () => recorder.told.length >= lines.length);
    // Whatever came too much would come with the end of the exchange.
    await eventually('the proxy to rest', () => proxy.proxy.activeExchanges === 0);
    expect(recorder.told).toEqual(lines);
  };

  it('is told of start, answer and end', async () => {
    const host = await serves(await world.backend(ok('0')));
    await world.get(host);
    await toldInTheEnd('0 started', '0 answered 200', '0 ended');
    expect(recorder.milliseconds[0]).toBeGreaterThanOrEqual(0);
    expect(recorder.milliseconds[0]).toBeLessThan(2_000);
  });

  it('is not told of frontends without a policy', async () => {
    const host = await world.frontend(await world.backend(ok('0')));
    await world.get(host);
    expect(recorder.told).toEqual([]);
  });

  it('is told of each attempt by itself when one fails and another answers', async () => {
    const host = await serves(world.refusing[0], await world.backend(ok('1')));
    expect((await world.get(host)).text).toBe('1');
    await toldInTheEnd('0 started', '0 failed backend-refused', '0 ended', '1 started', '1 answered 200', '1 ended');
  });

  it('is told of the failure that nobody could mend', async () => {
    const host = await serves(await world.backend(resetting));
    expect((await world.exchange(withBody('POST', '/', host, 'x'))).status).toBe(502);
    await toldInTheEnd('0 started', '0 failed backend-closed', '0 ended');
  });

  it('is told of a backend that is silent for too long', async () => {
    const host = await serves(await world.backend(() => new Promise(() => undefined)));
    expect((await world.get(host)).status).toBe(504);
    await toldInTheEnd('0 started', '0 failed backend-timeout', '0 ended');
  });

  it('is told of an answer that breaks off', async () => {
    const cut: Script = (_request, connection) => connection.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    const host = await serves(await world.backend(cut));
    await expect(world.get(host)).rejects.toThrow('the connection ended');
    await toldInTheEnd('0 started', '0 answered 200', '0 failed backend-cut-body', '0 ended');
  });

  it('is told of the end when the client leaves before there is an answer', async () => {
    const backend = await world.backend(() => new Promise(() => undefined));
    const host = await serves(backend);
    const client = await world.client();
    client.send(head('GET', '/', host));
    await eventually('the request to come', () => backend.requests.length === 1);
    client.reset();
    await toldInTheEnd('0 started', '0 ended');
  });

  it('is told of the end when the client leaves within an answer', async () => {
    const backend = await world.backend((_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      return new Promise(() => undefined);
    });
    const host = await serves(backend);
    const client = await world.client();
    client.send(head('GET', '/', host));
    await client.head();
    client.reset();
    await toldInTheEnd('0 started', '0 answered 200', '0 ended');
  });

  it('is told of the end when the client leaves within its request', async () => {
    const backend = await world.backend(ok());
    const host = await serves(backend);
    const client = await world.client();
    client.send(`${head('POST', '/', host, 'Content-Length: 9')}half`);
    await eventually('the request to come', () => backend.requests.length === 1);
    client.reset();
    await toldInTheEnd('0 started', '0 ended');
  });

  it('is told of one attempt when a kept connection turns out to be closed', async () => {
    const closing: Script = async (request, connection) => {
      await request.whole();
      // The second request finds the connection reset.
      if (connection.requests > 1) connection.reset();
      else connection.send(ok('0'));
    };
    const host = await serves(await world.backend(closing));
    const client = await world.client();
    for (let turn = 0; turn < 2; turn++) {
      client.send(head('GET', '/', host));
      expect((await client.response()).status).toBe(200);
    }
    await toldInTheEnd('0 started', '0 answered 200', '0 ended', '0 started', '0 answered 200', '0 ended');
  });

  describe('of a tunnel', () => {
    const switching: Script = (_request, connection) => {
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      return new Promise(() => undefined);
    };

    it('is told of its end when it is closed, not before', async () => {
      const host = await serves(await world.backend(switching));
      const client = await world.client();
      client.send(handshake(host));
      expect((await client.response()).status).toBe(101);
      expect(recorder.told).toEqual(['0 started', '0 answered 101']);
      client.reset();
      await toldInTheEnd('0 started', '0 answered 101', '0 ended');
    });

    it('is told of its end when the backend closes it', async () => {
      const backend = await world.backend(switching);
      const host = await serves(backend);
      const client = await world.client();
      client.send(handshake(host));
      await client.response();
      backend.connections[0]!.end();
      client.end();
      await toldInTheEnd('0 started', '0 answered 101', '0 ended');
    });
  });

  it('is told of as many ends as starts under a mixed load', async () => {
    const host = await serves(await world.backend(ok('0')), await world.backend(resetting), await world.backend(ok('2')));
    await Promise.all(
      Array.from({ length: 60 }, async (_, turn) => {
        const client = await world.client();
        client.send(turn % 2 === 0 ? head('GET', '/', host) : withBody('POST', '/', host, 'body'));
        if (turn % 5 === 0) client.reset();
        else await client.response();
      }),
    );
    await eventually('the proxy to rest', () => proxy.proxy.activeExchanges === 0);
    const open = new Map<string, number>();
    for (const line of recorder.told) {
      const [index = '', what = ''] = line.split(' ');
      const now = (open.get(index) ?? 0) + (what === 'started' ? 1 : what === 'ended' ? -1 : 0);
      expect(now).toBeGreaterThanOrEqual(0);
      open.set(index, now);
    }
    expect([...open.values()].every((count) => count === 0)).toBe(true);
    expect(recorder.told.filter((line) => line.endsWith('started')).length).toBeGreaterThan(48);
  });
});
