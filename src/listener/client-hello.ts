// Reads the greeting of a TLS client (RFC 8446 section 4.1.2) without taking part: the name that it asks for, and its protocols.
import { GatheredBytes } from '../base/gathered-bytes.js';

/** What a client says first. */
export interface ClientHello {
  /** The host of the extension server_name in lower case, without a trailing dot; empty where there is none. */
  readonly serverName: string;
  /** Protocols of the extension ALPN in the client's order, e.g. `h2`; empty where there is none. */
  readonly protocols: readonly string[];
}

/** `more`: its end has not come yet; `none`: the bytes are no greeting. */
export type HelloReading = ClientHello | 'more' | 'none';

const handshakeRecord = 22;
const clientHello = 1;
const recordHeader = 5;
const handshakeHeader = 4;
/** RFC 8446 section 5.1: a record holds 2^14 bytes at most. */
const longestRecord = 16_384;
/** Larger ones are no greeting of a client that wants an answer. */
const longestHello = 65_536;

const serverNameExtension = 0;
const alpnExtension = 16;

/** Reads a greeting in whatever pieces it comes. Each byte is looked at once, also where every record holds a single one. */
export class ClientHelloReader {
  readonly #gathered = new GatheredBytes();
  /** Where the first record begins that is not complete yet. */
  #recordAt = 0;
  /** Where the parts of the message are, in complete records. */
  readonly #parts: [from: number, to: number][] = [];
  #held = 0;
  /** Bytes of the message with its header, as soon as that says so. */
  #wanted = 0;

  /** Everything that came, as it came. */
  get bytes(): Buffer {
    return this.#gathered.bytes;
  }

  /** Takes a piece, which is copied. To be called no more once it has said something else than `more`. */
  push(piece: Buffer): HelloReading {
    this.#gathered.push(piece);
    const { bytes } = this.#gathered;
    if (bytes.length === 0) return 'more';
    // Known from the first byte on, so that nobody who speaks another protocol is waited for.
    if (bytes[0] !== handshakeRecord || (bytes.length > 1 && bytes[1] !== 3)) return 'none';
    const message = this.#joinRecords(bytes);
    if (typeof message === 'string') return message;
    try {
      return parseHello(message);
    } catch (error) {
      if (error instanceof RangeError) return 'none';
      throw error;
    }
  }

  /** Takes what came behind the greeting, for whoever the bytes are meant for. */
  keep(piece: Buffer): void {
    this.#gathered.push(piece);
  }

  /** The handshake message without its header, which may be cut into several records. */
  #joinRecords(bytes: Buffer): Buffer | 'more' | 'none' {
    while (bytes.length - this.#recordAt >= recordHeader) {
      const at = this.#recordAt;
      if (bytes[at] !== handshakeRecord || bytes[at + 1] !== 3) return 'none';
      const size = bytes.readUInt16BE(at + 3);
      if (size === 0 || size > longestRecord) return 'none';
      const from = at + recordHeader;
      const to = Math.min(from + size, bytes.length);
      if (this.#wanted === 0 && this.#held + to - from >= handshakeHeader) {
        const header = this.#joined(bytes, from, to);
        if (header[0] !== clientHello) return 'none';
        this.#wanted = handshakeHeader + header.readUIntBE(1, 3);
        if (this.#wanted > longestHello) return 'none';
      }
      if (this.#wanted !== 0 && this.#held + to - from >= this.#wanted)
        return this.#joined(bytes, from, to).subarray(handshakeHeader, this.#wanted);
      if (to < from + size) return 'more';
      this.#parts.push([from, to]);
      this.#held += size;
      this.#recordAt = to;
    }
    return 'more';
  }

  #joined(bytes: Buffer, from: number, to: number): Buffer {
    const last = bytes.subarray(from, to);
    return this.#parts.length === 0
      ? last
      : Buffer.concat([...this.#parts.map(([start, end]) => bytes.subarray(start, end)), last]);
  }
}

/** @throws RangeError where a length leads beyond the end */
function parseHello(message: Buffer): ClientHello {
  // Version and random number, then three fields with a length before them.
  let at = 2 + 32;
  at += 1 + message.readUInt8(at);
  at += 2 + message.readUInt16BE(at);
  at += 1 + message.readUInt8(at);
  let serverName = '';
  let protocols: readonly string[] = [];
  if (at >= message.length) return { serverName, protocols };
  const end = at + 2 + message.readUInt16BE(at);
  at += 2;
  if (end > message.length) throw new RangeError('extensions are longer than the message');
  while (at < end) {
    const kind = message.readUInt16BE(at);
    const size = message.readUInt16BE(at + 2);
    at += 4;
    if (at + size > end) throw new RangeError('an extension is longer than all of them');
    if (kind === serverNameExtension) serverName = readServerName(message.subarray(at, at + size));
    else if (kind === alpnExtension) protocols = readProtocols(message.subarray(at, at + size));
    at += size;
  }
  return { serverName, protocols };
}

/** RFC 6066 section 3: a list of names, of which only one kind was ever defined. */
function readServerName(data: Buffer): string {
  for (let at = 2; at + 3 <= data.length; ) {
    const kind = data.readUInt8(at);
    const size = data.readUInt16BE(at + 1);
    if (at + 3 + size > data.length) throw new RangeError('a name is longer than its extension');
    if (kind === 0) return hostOf(data.toString('latin1', at + 3, at + 3 + size));
    at += 3 + size;
  }
  return '';
}

/** What is no host name is as good as none: it becomes part of keys and of messages. */
function hostOf(text: string): string {
  const host = text.endsWith('.') ? text.slice(0, -1) : text;
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(host) && host.length <= 253 ? host.toLowerCase() : '';
}

/** RFC 7301 section 3.1. */
function readProtocols(data: Buffer): string[] {
  const found: string[] = [];
  for (let at = 2; at < data.length; ) {
    const size = data.readUInt8(at);
    if (at + 1 + size > data.length) throw new RangeError('a protocol is longer than its extension');
    found.push(data.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  return found;
}
