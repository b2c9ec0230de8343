// The fields of an HTTP/2 message, as names and values in turn, to header lines and pseudo-header fields (RFC 9113 section 8.3).
import type { ErrorCode } from '../errors/catalog.js';
import { type HeadLimits, HeadLines, refused } from '../http1/head-lines.js';
import { bit, HeaderList, Kind } from '../http1/headers.js';

/** What belongs to a connection has no place in HTTP/2 (RFC 9113 section 8.2.2). */
const connectionSpecific =
  bit(Kind.connection) | bit(Kind.keepAlive) | bit(Kind.proxyConnection) | bit(Kind.transferEncoding) | bit(Kind.upgrade);

const colon = 0x3a;

/** Reads field sections. One instance serves any number of them: what was read last is overwritten by the next. */
export class FieldSection {
  method = '';
  scheme = '';
  authority = '';
  path = '';
  protocol = '';
  status = '';
  /** The value of `host`, which is not among `headers`. */
  host = '';
  hasLength = false;
  /** Regular fields, Cookie in one line (RFC 9113 section 8.2.3). */
  text = '';
  /** Why `scan` refused. */
  code: ErrorCode = 'bad-header';
  detail = '';
  /** The lines that were scanned last, and the bytes that they lie in. */
  readonly lines = new HeadLines();
  bytes: Buffer = Buffer.alloc(0);

  /** Takes the fields apart; `text` may be added to before it is scanned. */
  read(raw: readonly string[]): void {
    this.method = this.scheme = this.authority = this.path = this.protocol = this.status = this.host = '';
    this.hasLength = false;
    let text = '';
    let cookie = '';
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at] as string;
      const value = raw[at + 1] as string;
      if (name.charCodeAt(0) === colon) this.#pseudo(name, value);
      else if (name === 'host' && this.host === '') this.host = value;
      else if (name === 'cookie') cookie = cookie === '' ? value : `${cookie}; ${value}`;
      else {
        if (name === 'content-length') this.hasLength = true;
        text += `${name}: ${value}\r\n`;
      }
    }
    this.text = cookie === '' ? text : `${text}cookie: ${cookie}\r\n`;
  }

  /**
   * The header list of `text`; null where it is refused: see `code` and `detail`.
   * @param ours kinds that were added here and are no fault of the sender
   */
  scan(limits: HeadLimits, ours = 0): HeaderList | null {
    const { text, lines } = this;
    if (text.length + 2 > limits.maxHeadBytes)
      return this.#refuse('head-too-large', `the fields are longer than ${limits.maxHeadBytes} bytes`);
    const bytes = Buffer.from(`${text}\r\n`, 'latin1');
    this.bytes = bytes;
    const end = lines.scan(bytes, 0, bytes.length, limits);
    // A value with a line end in it would end the scan early, with lines of the sender's making behind it.
    if (end !== bytes.length)
      return end === refused ? this.#refuse(lines.code, lines.detail) : this.#refuse('bad-header', 'a line end in a field');
    if ((lines.present & connectionSpecific & ~ours) !== 0) return this.#refuse('bad-header', 'a field of HTTP/1.1 connections');
    return new HeaderList(text, lines.spans(), lines.present);
  }

  #pseudo(name: string, value: string): void {
    switch (name) {
      case ':method':
        this.method = value;
        break;
      case ':scheme':
        this.scheme = value;
        break;
      case ':authority':
        this.authority = value;
        break;
      case ':path':
        this.path = value;
        break;
      case ':protocol':
        this.protocol = value;
        break;
      case ':status':
        this.status = value;
        break;
    }
  }

  #refuse(code: ErrorCode, detail: string): null {
    this.code = code;
    this.detail = detail;
    return null;
  }
}
