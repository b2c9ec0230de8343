// What HTTP/2 lets a client do cheaply and a server dearly: such a connection is ended by GOAWAY and counted, and others go on.
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Http2Abuse } from '../../src/observe/metrics.js';
import { ok } from '../helpers/backend.js';
import { eventually, pause, settled } from '../helpers/eventually.js';
import {
  connectFrames,
  errorCode,
  type FrameClient,
  flag,
  frame,
  frameType,
  get,
  post,
  setting,
  uint32,
} from '../helpers/h2-frames.js';
import { packFields } from '../helpers/hpack.js';
import { isLetGo, useProxy } from './use-proxy.js';

const limits = { http2Resets: 50, http2ControlFrames: 60, http2Streams: 100, minBodyRate: 0 };
const wire = useProxy({ clearHttp2: true, frontDoor: limits, server: { bodyTimeout: 1_200, idleTimeout: 20_000 } });
const clients: FrameClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(settings?: Buffer): Promise<FrameClient> {
  const client = await connectFrames(wire.world.proxy.port, settings);
  clients.push(client);
  return client;
}

const counted = (abuse: Http2Abuse): number => wire.world.proxy.proxy.http2.abuses[abuse];
const whole = flag.endHeaders | flag.endStream;
const silent = () => new Promise<void>(() => {});

/** Runs an attack: it must end in GOAWAY with a code, be counted once, and leave the proxy to others. */
async function expectEnd(abuse: Http2Abuse, codes: readonly number[], attack: (client: FrameClient) => Promise<unknown>) {
  const before = counted(abuse);
  const client = await connect();
  await attack(client);
  expect(codes).toContain(await client.goaway());
  await eventually('the connection to be closed', () => client.closed);
  await eventually('the count', () => counted(abuse) === before + 1);
  const host = await wire.world.frontend(await wire.world.backend(ok('still here')));
  const other = await connect();
  expect((await other.ended(other.request(get(host)))).body.toString()).toBe('still here');
}

/** Sends pieces until the other side has had enough. */
async function flood(client: FrameClient, piece: Buffer, times = 4000): Promise<void> {
  for (let at = 0; at < times && !client.closed && !client.frames.some(({ type }) => type === frameType.goaway); at++) {
    client.send(piece);
    if (at % 50 === 49) await pause(1);
  }
}

describe('rapid reset (CVE-2023-44487)', () => {
  it('of requests that were begun ends the connection, and no backend is kept busy by it', async () => {
    const backend = await wire.world.backend(silent);
    const host = await wire.world.frontend(backend);
    await expectEnd('resets', [errorCode.enhanceYourCalm], async (client) => {
      for (let at = 0; at < 51; at++) client.reset(client.request(get(host)));
    });
    await eventually('the end of all exchanges', () => wire.world.proxy.proxy.activeExchanges === 0);
    expect(backend.requests.length).toBeLessThan(51);
  });

  it('by the server, which a client brings about, counts as well (CVE-2025-8671)', async () => {
    const host = await wire.world.frontend(await wire.world.backend(silent));
    await expectEnd('resets', [errorCode.enhanceYourCalm], async (client) => {
      for (let at = 0; at < 51; at++) {
        const stream = client.request([...post(host), ['content-length', '1']], false);
        client.data(stream, 'more');
      }
    });
  });

  it('does not mean a browser that leaves a page', async () => {
    const host = await wire.world.frontend(await wire.world.backend(silent), await wire.world.backend(ok('next page')));
    const client = await connect();
    for (let at = 0; at < 30; at++) client.reset(client.request(get(host)));
    const stream = client.request(get(await wire.world.frontend(await wire.world.backend(ok('next page')))));
    expect((await client.ended(stream)).body.toString()).toBe('next page');
  });
});

describe('a flood of frames', () => {
  it('PING', () =>
    expectEnd('control-frames', [errorCode.enhanceYourCalm], (client) =>
      flood(client, frame(frameType.ping, 0, 0, Buffer.alloc(8))),
    ));

  it('SETTINGS', () =>
    expectEnd('control-frames', [errorCode.enhanceYourCalm], (client) => flood(client, frame(frameType.settings, 0, 0))));

  it('SETTINGS that change the window of many streams', async () => {
    const host = await wire.world.frontend(await wire.world.backend(silent));
    await expectEnd('control-frames', [errorCode.enhanceYourCalm], async (client) => {
      for (let at = 0; at < 40; at++) client.request(get(host));
      await flood(client, Buffer.concat([0, 65_535].map((size) => frame(frameType.settings, 0, 0, setting(4, size)))));
    });
  });

  it('empty DATA (CVE-2019-9518)', async () => {
    const host = await wire.world.frontend(await wire.world.backend(silent));
    await expectEnd('protocol', [errorCode.enhanceYourCalm], async (client) => {
      const stream = client.request(post(host), false);
      await flood(client, frame(frameType.data, 0, stream));
    });
  });

  it('empty field sections and CONTINUATION (CVE-2024-27316)', () =>
    expectEnd('protocol', [errorCode.enhanceYourCalm, errorCode.protocol, errorCode.internal], async (client) => {
      client.send(frame(frameType.headers, flag.endStream, 1, packFields(get('a').slice(0, 1))));
      await flood(client, frame(frameType.continuation, 0, 1));
    }));

  it.each([
    ['WINDOW_UPDATE', Buffer.concat(Array.from({ length: 100 }, () => frame(frameType.windowUpdate, 0, 0, uint32(1))))],
    ['PRIORITY', Buffer.concat(Array.from({ length: 100 }, () => frame(frameType.priority, 0, 1, Buffer.from([0, 0, 0, 3, 1]))))],
    ['frames of unknown kinds', frame(99, 0, 0, Buffer.alloc(1000))],
    ['malformed requests', Buffer.alloc(0)],
  ])('%s', async (name, piece) => {
    const host = await wire.world.frontend(await wire.world.backend(silent));
    // Malformed requests count one by one, the others as bytes.
    const abuse = name === 'malformed requests' ? 'protocol' : 'empty-bytes';
    await expectEnd(abuse, [errorCode.enhanceYourCalm, errorCode.protocol], async (client) => {
      const stream = client.request(post(host), false);
      client.data(stream, 'x');
      const bad = [...get(host), ['x-padding', 'a'.repeat(500)], ['Upper', 'case']] as [string, string][];
      for (let at = 0; at < 400 && !client.closed; at++) {
        if (name === 'malformed requests') client.request(bad);
        else client.send(piece);
        await pause(2);
      }
    });
  });

  it('DATA of a byte each, beyond what a person can type', async () => {
    const host = await wire.world.frontend(
      await wire.world.backend(async (request) => {
        await request.whole();
      }),
    );
    await expectEnd('empty-bytes', [errorCode.enhanceYourCalm], async (client) => {
      const stream = client.request(post(host), false);
      const pieces = Buffer.concat(Array.from({ length: 100 }, () => frame(frameType.data, 0, stream, Buffer.from('x'))));
      for (let at = 0; at < 400 && !client.closed; at++) {
        client.send(pieces);
        await pause(2);
      }
    });
  });
});

describe('field sections', () => {
  it('that unpack to far more than was sent are refused (HPACK bomb)', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    // One long field into the table, then a reference of a byte for each repetition.
    const long = Buffer.concat([Buffer.from([0x40]), packFields([['x-long', 'a'.repeat(3000)]]).subarray(1)]);
    const bomb = Buffer.concat([packFields(get(host)), long, Buffer.alloc(4000, 0x80 | 62)]);
    client.send(frame(frameType.headers, whole, 1, bomb));
    const answer = await client.ended(1);
    expect(answer.reset === errorCode.enhanceYourCalm || answer.status === '431').toBe(true);
    expect(backend.requests.length).toBe(0);
  });
});

describe('window tricks', () => {
  const large = 300_000;
  const download = () => wire.world.backend(ok('x'.repeat(large), 'Content-Type: text/plain'));

  it('a client that opens no window is sent away when it has been silent for long enough', async () => {
    const backend = await download();
    const client = await connect(setting(4, 0));
    const stream = client.request(get(await wire.world.frontend(backend)));
    expect((await client.ended(stream)).reset).toBe(errorCode.internal);
    await eventually('the backend to be let go', () => isLetGo(backend));
  });

  it('a client that opens it byte by byte is as well', async () => {
    const client = await connect(setting(4, 1));
    const stream = client.request(get(await wire.world.frontend(await download())));
    const begun = performance.now();
    while (client.answer(stream).reset < 0 && performance.now() - begun < 15_000) {
      client.window(stream, 1);
      await pause(50);
    }
    expect(client.answer(stream).reset).toBe(errorCode.internal);
  });

  it('one that reads slowly and honestly gets everything', async () => {
    const client = await connect(setting(4, 16_384));
    client.window(0, large);
    const stream = client.request(get(await wire.world.frontend(await download())));
    for (let granted = 16_384; granted < large; granted += 16_384) {
      await eventually('the window to be used', () => client.answer(stream).body.length >= granted);
      await pause(40);
      client.window(stream, 16_384);
    }
    expect((await client.ended(stream)).body.length).toBe(large);
  });

  it('a silent body holds no backend, and one stream that waits holds up no other', async () => {
    const backend = await wire.world.backend(ok());
    const client = await connect();
    const stream = client.request([...post(await wire.world.frontend(backend)), ['content-length', '100']], false);
    client.data(stream, 'begun');
    const other = client.request(get(await wire.world.frontend(await wire.world.backend(ok('other')))));
    expect((await client.ended(other)).body.toString()).toBe('other');
    const answer = await client.ended(stream);
    expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual(['408', 'body-timeout']);
    await eventually('the backend to be let go', () => isLetGo(backend));
  });

  it('what a backend does not take is held back, stream by stream', async () => {
    const stuck = await wire.world.backend(silent, { accept: ({ socket }) => socket.pause() });
    const client = await connect();
    const stream = client.request(post(await wire.world.frontend(stuck)), false);
    let sent = 0;
    const granted = () =>
      65_535 +
      client.frames.reduce(
        (sum, one) => sum + (one.type === frameType.windowUpdate && one.stream === stream ? one.payload.readUInt32BE(0) : 0),
        0,
      );
    const total = () =>
      65_535 +
      client.frames.reduce(
        (sum, one) => sum + (one.type === frameType.windowUpdate && one.stream === 0 ? one.payload.readUInt32BE(0) : 0),
        0,
      );
    const own = await eventually('the window', () => client.frames.find(({ type }) => type === frameType.settings));
    const initial = own.payload.length > 0 ? 256 * 1024 - 65_535 : 0;
    const pump = (): number => {
      while (sent + 16_384 <= Math.min(granted() + initial, total())) {
        client.data(stream, Buffer.alloc(16_384));
        sent += 16_384;
      }
      return sent;
    };
    const reached = await settled(pump);
    expect(reached).toBeLessThan(16 * 1024 * 1024);
    const other = client.request(get(await wire.world.frontend(await wire.world.backend(ok('flows')))));
    expect(await client.ended(other)).toMatchObject({ status: '200', body: Buffer.from('flows') });
  });
});

describe('bodies that nobody takes', () => {
  /** Waits until the connections were looked at: one that came later is ended for what it does. */
  const lookedAt = async () => {
    const host = await wire.world.frontend(await wire.world.backend(silent));
    await expectEnd('empty-bytes', [errorCode.enhanceYourCalm], async (client) => {
      const stream = client.request(post(host), false);
      const pieces = Buffer.concat(Array.from({ length: 100 }, () => frame(frameType.data, 0, stream, Buffer.from('x'))));
      await flood(client, pieces, 400);
    });
  };
  const expectServed = async (client: FrameClient) => {
    const stream = client.request(get(await wire.world.frontend(await wire.world.backend(ok('served')))));
    expect(await client.ended(stream)).toMatchObject({ status: '200', body: Buffer.from('served') });
  };

  it('because their requests were answered meanwhile do not count as empty', async () => {
    const client = await connect();
    await eventually('its windows', () => client.frames.some(({ type }) => type === frameType.settings));
    const streams = [1, 2].map(() => client.request(post('nobody.example.com'), false));
    for (const stream of streams) expect((await client.ended(stream)).status).toBe('400');
    // On their way while the answer was.
    for (const stream of streams) for (let at = 0; at < 15; at++) client.data(stream, Buffer.alloc(16_384));
    await lookedAt();
    await expectServed(client);
  });

  it('because their backends are looked for do not count as empty', async () => {
    const { store } = wire.world.proxy.proxy;
    const read = store.readFrontends.bind(store);
    const silence = vi.spyOn(store, 'readFrontends').mockImplementation((names) => {
      return names.some((name) => name.endsWith('late.example.com')) ? new Promise(() => {}) : read(names);
    });
    onTestFinished(() => silence.mockRestore());
    const client = await connect();
    await eventually('its windows', () => client.frames.some(({ type }) => type === frameType.settings));
    for (const host of ['one.late.example.com', 'another.late.example.com']) {
      const stream = client.request(post(host), false);
      for (let at = 0; at < 15; at++) client.data(stream, Buffer.alloc(16_384));
    }
    await lookedAt();
    await expectServed(client);
  });
});

describe('a client that vanishes', () => {
  it('is asked whether it is there, and given up', async () => {
    const backend = await wire.world.backend(silent);
    const client = await connect();
    client.answersPing = false;
    client.request(get(await wire.world.frontend(backend)));
    await eventually('PING', () => client.frames.some(({ type, flags }) => type === frameType.ping && flags === 0));
    await eventually('the backend to be let go', () => isLetGo(backend));
  });
});
