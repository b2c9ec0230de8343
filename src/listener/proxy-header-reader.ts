// Reads the PROXY header that a connection must begin with, whatever pieces it comes in.
import type { ProxiedEnds } from '../upstream/proxy-header.js';
import { parseProxyHeader } from './proxy-protocol.js';

/** What came of it; null: more bytes are needed. */
export type HeaderReading =
  | { readonly kind: 'header'; readonly ends: ProxiedEnds | null; readonly rest: Buffer }
  | { readonly kind: 'fault'; readonly text: string };

export class ProxyHeaderReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Takes a piece, which is copied. */
  push(piece: Buffer): HeaderReading | null {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    const found = parseProxyHeader(this.#bytes);
    switch (found.kind) {
      case 'partial':
        return null;
      case 'fault':
        return found;
      case 'header':
        return { kind: 'header', ends: found.ends, rest: this.#bytes.subarray(found.size) };
    }
  }
}
