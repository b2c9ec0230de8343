// A client of HTTP/2 that sends exact frames (RFC 9113 section 4.1) and reads what comes back, frame by frame.
import net, { type Socket } from 'node:net';
import { eventually } from './eventually.js';
import { HpackReader, packFields } from './hpack.js';

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Error codes (RFC 9113 section 7). */
export const errorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What came on a stream. */
export interface StreamAnswer {
  /** All field sections in order: interim ones, the final one, trailers. */
  readonly sections: readonly (readonly (readonly [string, string])[])[];
  readonly status: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly ended: boolean;
  /** Code of RST_STREAM; -1: there was none. */
  readonly reset: number;
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const nothing = Buffer.alloc(0);
const mostOfFrame = 16_384;

export function frame(type: number, flags: number, stream: number, payload: Buffer = nothing): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A setting and its value (RFC 9113 section 6.5.1). */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** The fields of a GET. */
export function get(authority: string, path = '/'): [string, string][] {
  return [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', authority],
    [':path', path],
  ];
}

/** The fields of a POST. */
export function post(authority: string, path = '/'): [string, string][] {
  return [[':method', 'POST'], ...get(authority, path).slice(1)];
}

export class FrameClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Whether it answers PING, as it has to. */
  answersPing = true;
  /** The connection was closed by the other side. */
  closed = false;
  #bytes = nothing;
  readonly #hpack = new HpackReader();
  readonly #answers = new Map<number, { sections: [string, string][][]; body: Buffer[]; ended: boolean; reset: number }>();
  #nextStream = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  send(...frames: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  /** Sends fields and gives the stream that they went on. */
  request(fields: readonly (readonly [string, string])[], endStream = true): number {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    const packed = packFields(fields);
    const end = endStream ? flag.endStream : 0;
    if (packed.length <= mostOfFrame) this.send(frame(frameType.headers, flag.endHeaders | end, stream, packed));
    else {
      this.send(
        frame(frameType.headers, end, stream, packed.subarray(0, mostOfFrame)),
        frame(frameType.continuation, flag.endHeaders, stream, packed.subarray(mostOfFrame)),
      );
    }
    return stream;
  }

  data(stream: number, bytes: Buffer | string, endStream = false): void {
    this.send(frame(frameType.data, endStream ? flag.endStream : 0, stream, Buffer.from(bytes)));
  }

  /** Sends fields behind a body. */
  trailers(stream: number, fields: readonly (readonly [string, string])[]): void {
    this.send(frame(frameType.headers, flag.endHeaders | flag.endStream, stream, packFields(fields)));
  }

  reset(stream: number, code: number = errorCode.cancel): void {
    this.send(frame(frameType.rstStream, 0, stream, uint32(code)));
  }

  window(stream: number, increment: number): void {
    this.send(frame(frameType.windowUpdate, 0, stream, uint32(increment)));
  }

  /** What has come on a stream so far. */
  answer(stream: number): StreamAnswer {
    const { sections, body, ended, reset } = this.#answers.get(stream) ?? { sections: [], body: [], ended: false, reset: -1 };
    const final = sections.find(([first]) => first?.[0] === ':status' && !first[1].startsWith('1')) ?? [];
    const fields = new Map(final.map(([name, value]) => [name, value]));
    return { sections, status: fields.get(':status') ?? '', fields, body: Buffer.concat(body), ended, reset };
  }

  /** Waits until a stream has ended or was reset, or the connection is gone. */
  ended(stream: number): Promise<StreamAnswer> {
    return eventually(`the end of stream ${stream}`, () => {
      const answer = this.answer(stream);
      return answer.ended || answer.reset >= 0 || this.closed ? answer : undefined;
    });
  }

  /** Waits for GOAWAY; gives its code. */
  async goaway(): Promise<number> {
    const found = await eventually('GOAWAY', () => this.frames.find(({ type }) => type === frameType.goaway));
    return found.payload.readUInt32BE(4);
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      if (this.#bytes.length < 9) return;
      const size = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + size) return;
      const bytes = this.#bytes;
      this.#bytes = bytes.subarray(9 + size);
      this.#take({
        type: bytes[3] as number,
        flags: bytes[4] as number,
        stream: bytes.readUInt32BE(5) & 0x7fffffff,
        payload: bytes.subarray(9, 9 + size),
      });
    }
  }

  #take(one: Frame): void {
    this.frames.push(one);
    if (one.type === frameType.settings && (one.flags & flag.ack) === 0) this.send(frame(frameType.settings, flag.ack, 0));
    const asks = one.type === frameType.ping && (one.flags & flag.ack) === 0;
    if (asks && this.answersPing) this.send(frame(frameType.ping, flag.ack, 0, one.payload));
    if (one.stream === 0) return;
    let answer = this.#answers.get(one.stream);
    if (answer === undefined) {
      answer = { sections: [], body: [], ended: false, reset: -1 };
      this.#answers.set(one.stream, answer);
    }
    if (one.type === frameType.headers) {
      if ((one.flags & flag.endHeaders) === 0) throw new Error('a field section in several frames is not read here');
      answer.sections.push(this.#hpack.read(one.payload));
    } else if (one.type === frameType.data) answer.body.push(one.payload);
    else if (one.type === frameType.rstStream) answer.reset = one.payload.readUInt32BE(0);
    if ((one.type === frameType.headers || one.type === frameType.data) && (one.flags & flag.endStream) !== 0)
      answer.ended = true;
  }
}

/** Connects in clear text and says what a client has to say first. @param settings payload of the first SETTINGS */
export async function connectFrames(port: number, settings: Buffer = nothing, start = true): Promise<FrameClient> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
  const client = new FrameClient(socket);
  if (start) client.send(preface, frame(frameType.settings, 0, 0, settings));
  return client;
}
