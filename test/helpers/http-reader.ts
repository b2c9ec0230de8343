// Reads HTTP/1.x messages as a test wants to see them: exact lines, decoded bodies, and nothing understood that is not asked for.
import { type ByteQueue, EndedEarly } from './byte-queue.js';

/** Names and values of header or trailer lines, as they were sent. */
export class Fields {
  readonly lines: readonly (readonly [string, string])[];

  constructor(text: string) {
    this.lines = text
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
      });
  }

  /** Value of the first line of a name in any case; null: there is none. */
  get(name: string): string | null {
    return this.all(name)[0] ?? null;
  }

  /** Values of all lines of a name in any case. */
  all(name: string): string[] {
    return this.lines.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  }

  /** Names as they were sent, in order. */
  get names(): string[] {
    return this.lines.map(([name]) => name);
  }
}

/** A message head: start line and fields. */
export interface RawHead {
  readonly startLine: string;
  readonly fields: Fields;
  /** Everything, as it was sent. */
  readonly text: string;
}

/** How a body that was read is delimited; `close`: by the end of the connection. */
export type Delimiter = { readonly kind: 'none' | 'chunked' | 'close' } | { readonly kind: 'length'; readonly length: number };

/** A body that was read. */
export interface RawBody {
  readonly bytes: Buffer;
  readonly trailers: Fields;
}

/** Reads up to the empty line. */
export async function readHead(queue: ByteQueue): Promise<RawHead> {
  const text = (await queue.until('\r\n\r\n')).toString('latin1');
  const lineEnd = text.indexOf('\r\n');
  return { startLine: text.slice(0, lineEnd), fields: new Fields(text.slice(lineEnd)), text };
}

/** How the fields of a head delimit its body, if it has one. */
export function statedDelimiter(fields: Fields): Delimiter {
  if (fields.get('transfer-encoding') !== null) return { kind: 'chunked' };
  const length = fields.get('content-length');
  return length === null ? { kind: 'none' } : { kind: 'length', length: Number(length) };
}

/** Reads a body. Rejects with EndedEarly, which holds the decoded bytes so far, when it is broken off. */
export async function readBody(queue: ByteQueue, delimiter: Delimiter): Promise<RawBody> {
  const noTrailers = new Fields('');
  switch (delimiter.kind) {
    case 'none':
      return { bytes: Buffer.alloc(0), trailers: noTrailers };
    case 'length':
      return { bytes: await queue.take(delimiter.length), trailers: noTrailers };
    case 'close': {
      const { bytes, end } = await queue.rest();
      if (end === 'reset') throw new EndedEarly(end, bytes);
      return { bytes, trailers: noTrailers };
    }
    case 'chunked':
      return readChunks(queue);
  }
}

async function readChunks(queue: ByteQueue): Promise<RawBody> {
  const pieces: Buffer[] = [];
  try {
    for (;;) {
      const line = (await queue.until('\r\n')).toString('latin1').trim();
      const size = Number.parseInt(line, 16);
      if (!/^[0-9a-f]+(;.*)?$/i.test(line)) throw new Error(`no chunk size: ${JSON.stringify(line)}`);
      if (size === 0) break;
      pieces.push(await queue.take(size));
      const end = (await queue.take(2)).toString('latin1');
      if (end !== '\r\n') throw new Error(`no line end behind a chunk but ${JSON.stringify(end)}`);
    }
    let trailers = '';
    for (;;) {
      const line = (await queue.until('\r\n')).toString('latin1');
      if (line === '\r\n') return { bytes: Buffer.concat(pieces), trailers: new Fields(trailers) };
      trailers += line;
    }
  } catch (error) {
    if (error instanceof EndedEarly) throw new EndedEarly(error.kind, Buffer.concat([...pieces, error.partial]));
    throw error;
  }
}

/** A text or bytes as chunks of a size, with the last chunk. */
export function inChunks(content: string | Buffer, size: number, trailers = ''): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${trailers}\r\n`)]);
}
