// Reads the beginning of a connection in clear text up to its first Host line, in whatever pieces it comes, without changing it.
import { GatheredBytes } from '../../base/gathered-bytes.js';
import { normaliseHost } from '../../routing/host-name.js';

/** What is longer without a Host line has none. */
const longestHead = 65_536;

const hostLine = /^host:[ \t]*([^ \t]+)[ \t]*$/i;
/** RFC 9112 section 3. */
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^ ]+ HTTP\/\d\.\d$/;
/** What may become one, of the first bytes of a line. */
const requestStart = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: |\r?$)/;
const longestMethod = 32;

const newline = 0x0a;

/** A line counts once its end is there, so that no packet border falls into a name. */
export class HostLineReader {
  readonly #gathered = new GatheredBytes();
  #lineStart = 0;
  /** Whether it is a request of HTTP: known once the first line has ended. */
  #isRequest: boolean | null = null;

  /** Everything that came, as it came. */
  get bytes(): Buffer {
    return this.#gathered.bytes;
  }

  /** It is a request of HTTP, or may still become one: more is bound to come. */
  get mayBeRequest(): boolean {
    if (this.#isRequest !== null) return this.#isRequest;
    return requestStart.test(this.#text(this.#lineStart, Math.min(this.#gathered.length, this.#lineStart + longestMethod)));
  }

  /**
   * Takes a piece, which is copied.
   * @returns the host as routes are found by it; empty: the head has ended, or grown too long, without one; null: more is needed
   */
  push(piece: Buffer): string | null {
    const searched = this.#gathered.length;
    this.#gathered.push(piece);
    const { bytes } = this.#gathered;
    for (
      let end = bytes.indexOf(newline, Math.max(searched, this.#lineStart));
      end !== -1;
      end = bytes.indexOf(newline, end + 1)
    ) {
      const line = this.#text(this.#lineStart, end).replace(/\r$/, '');
      this.#lineStart = end + 1;
      const host = this.#take(line);
      if (host !== null) return host;
    }
    return bytes.length > longestHead ? '' : null;
  }

  /** The host of what is there: nothing more is waited for. */
  settle(): string {
    return this.#take(this.#text(this.#lineStart, this.#gathered.length).replace(/\r$/, '')) ?? '';
  }

  #take(line: string): string | null {
    if (line === '') {
      // RFC 9112 section 2.2: empty lines before a request mean nothing. Behind the first line, what follows is a body.
      return this.#isRequest === null ? null : '';
    }
    this.#isRequest ??= requestLine.test(line);
    const name = normaliseHost(hostLine.exec(line)?.[1] ?? '');
    return name === null || name.host === '' ? null : name.host;
  }

  #text(from: number, to: number): string {
    return this.#gathered.bytes.toString('latin1', from, to);
  }
}
