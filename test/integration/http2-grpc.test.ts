// gRPC as its own library speaks it: all four kinds of calls, their status, and who breaks them off, through the proxy.
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { World } from '../contract/engine/world.js';
import { eventually } from '../helpers/eventually.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const asIs = { requestStream: true, responseStream: true } as const;
const bytes = (value: Buffer): Buffer => value;
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});
const service = {
  one: method('/test.Echo/One', false, false),
  many: method('/test.Echo/Many', false, true),
  sum: method('/test.Echo/Sum', true, false),
  talk: method('/test.Echo/Talk', asIs.requestStream, asIs.responseStream),
};

let proxy: StartedProxy;
let server: grpc.Server;
let client: grpc.Client;
/** Calls that were broken off. */
let cancelled = 0;

beforeAll(async () => {
  // Shorter than the pause in a conversation below.
  proxy = await startProxy({ clearHttp2: true, server: { bodyTimeout: 600 }, frontDoor: { minBodyRate: 1_000, bodyGrace: 500 } });
  server = new grpc.Server();
  server.addService(service, {
    one: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      const seen = call.metadata.get('x-asked')[0];
      const trailer = new grpc.Metadata();
      trailer.set('x-answered', String(seen));
      if (call.request.toString() === 'fail')
        done({ code: grpc.status.NOT_FOUND, details: 'nothing like it', metadata: trailer });
      else done(null, call.request, trailer);
    },
    many: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (let at = 0; at < 50; at++) call.write(Buffer.from(`${call.request}${at}`));
      call.end();
    },
    sum: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      let sum = 0;
      call.on('data', (piece: Buffer) => {
        sum += piece.length;
      });
      call.on('end', () => done(null, Buffer.from(String(sum))));
    },
    talk: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (word: Buffer) => call.write(word));
      call.on('end', () => call.end());
      call.on('cancelled', () => {
        cancelled++;
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    }),
  );
  const host = await new World(proxy, 'wire').frontend(`h2c://127.0.0.1:${port}`);
  client = new grpc.Client(`127.0.0.1:${proxy.port}`, grpc.credentials.createInsecure(), { 'grpc.default_authority': host });
});
afterAll(async () => {
  client.close();
  server.forceShutdown();
  await proxy.close();
});

function one(text: string, options: grpc.CallOptions = {}): Promise<{ answer: string; trailer: unknown }> {
  const metadata = new grpc.Metadata();
  metadata.set('x-asked', 'yes');
  return new Promise((resolve, reject) => {
    let answer = '';
    const call = client.makeUnaryRequest(service.one.path, bytes, bytes, Buffer.from(text), metadata, options, (error, value) => {
      if (error !== null) reject(error);
      else answer = String(value);
    });
    call.on('status', (status) => {
      if (status.code === grpc.status.OK) resolve({ answer, trailer: status.metadata.get('x-answered')[0] });
    });
  });
}

describe('a call', () => {
  it('is answered, with metadata both ways', async () => {
    expect(await one('hello')).toEqual({ answer: 'hello', trailer: 'yes' });
    expect((await one('x'.repeat(1_000_000))).answer.length).toBe(1_000_000);
  });

  it('that fails tells its status, which HTTP knows nothing of', async () => {
    await expect(one('fail')).rejects.toMatchObject({ code: grpc.status.NOT_FOUND, details: 'nothing like it' });
  });

  it('is answered in many messages', async () => {
    const call = client.makeServerStreamRequest(service.many.path, bytes, bytes, Buffer.from('n'));
    const got: string[] = [];
    for await (const piece of call) got.push(String(piece));
    expect(got).toEqual(Array.from({ length: 50 }, (_, at) => `n${at}`));
  });

  it('is made in many messages', async () => {
    const sum = await new Promise<string>((resolve, reject) => {
      const call = client.makeClientStreamRequest<Buffer, Buffer>(service.sum.path, bytes, bytes, (error, value) => {
        if (error !== null) reject(error);
        else resolve(String(value));
      });
      for (let at = 0; at < 100; at++) call.write(Buffer.alloc(10_000));
      call.end();
    });
    expect(sum).toBe('1000000');
  });

  it('is a conversation, with pauses longer than a body may have', async () => {
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(service.talk.path, bytes, bytes);
    const got: string[] = [];
    call.on('data', (word: Buffer) => got.push(String(word)));
    const ended = new Promise<number>((resolve) => call.on('status', ({ code }) => resolve(code)));
    for (const word of ['one', 'two']) {
      call.write(Buffer.from(word));
      await eventually(`the echo of ${word}`, () => got.at(-1) === word);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    call.end();
    expect(await ended).toBe(grpc.status.OK);
  });

  it('that its client breaks off ends at the server', async () => {
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(service.talk.path, bytes, bytes);
    call.on('error', () => {});
    const answered = new Promise((resolve) => call.once('data', resolve));
    call.write(Buffer.from('hold'));
    await answered;
    call.cancel();
    await eventually('the call to be cancelled', () => cancelled === 1);
  });
});
