// As much of HPACK (RFC 7541) as a client for tests needs: it writes literals, and reads what a server writes, Huffman code included.
import { huffmanCodes, staticTable } from './hpack-tables.js';

/** Packs fields as literals that are not indexed (section 6.2.2). */
export function packFields(fields: readonly (readonly [string, string])[]): Buffer {
  const parts = fields.flatMap(([name, value]) => [Buffer.from([0]), packText(name), packText(value)]);
  return Buffer.concat(parts);
}

function packText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([packInteger(bytes.length, 7), bytes]);
}

/** Section 5.1, with zeros in the bits before the prefix. */
function packInteger(value: number, prefix: number): Buffer {
  const most = (1 << prefix) - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return Buffer.from(bytes);
}

/** A tree: a number is the symbol, a pair leads on. */
type HuffmanNode = [HuffmanNode | number | null, HuffmanNode | number | null];

const root: HuffmanNode = [null, null];
huffmanCodes.forEach(([code, length], symbol) => {
  let node = root;
  for (let bit = length - 1; bit >= 0; bit--) {
    const side = (code >>> bit) & 1;
    if (bit === 0) node[side] = symbol;
    else {
      const next = node[side];
      const deeper: HuffmanNode = Array.isArray(next) ? next : [null, null];
      node[side] = deeper;
      node = deeper;
    }
  }
});

function unpackHuffman(bytes: Buffer): string {
  const found: number[] = [];
  let node = root;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const next: HuffmanNode | number | null = node[((byte >>> bit) & 1) as 0 | 1];
      if (next === null) throw new Error('no such Huffman code');
      if (typeof next === 'number') {
        found.push(next);
        node = root;
      } else node = next;
    }
  }
  return Buffer.from(found).toString('latin1');
}

/** One a connection: it remembers what the server has put into its table. */
export class HpackReader {
  #dynamic: [string, string][] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  read(bytes: Buffer): [string, string][] {
    this.#bytes = bytes;
    this.#at = 0;
    const fields: [string, string][] = [];
    while (this.#at < bytes.length) {
      const first = bytes[this.#at] as number;
      if ((first & 0x80) !== 0) fields.push(this.#entry(this.#integer(7)));
      else if ((first & 0x40) !== 0) {
        const field = this.#literal(6);
        this.#dynamic.unshift(field);
        fields.push(field);
      } else if ((first & 0x20) !== 0) this.#integer(5);
      else fields.push(this.#literal(4));
    }
    return fields;
  }

  #literal(prefix: number): [string, string] {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    return [name, this.#text()];
  }

  #entry(index: number): [string, string] {
    const found = index <= staticTable.length ? staticTable[index - 1] : this.#dynamic[index - staticTable.length - 1];
    if (found === undefined) throw new Error(`the table has no entry ${index}`);
    return [found[0], found[1]];
  }

  #integer(prefix: number): number {
    const most = (1 << prefix) - 1;
    let value = (this.#bytes[this.#at++] as number) & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 127) * 2 ** shift;
      if ((byte & 128) === 0) return value;
    }
  }

  #text(): string {
    const packed = ((this.#bytes[this.#at] as number) & 0x80) !== 0;
    const length = this.#integer(7);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return packed ? unpackHuffman(bytes) : bytes.toString('latin1');
  }
}
