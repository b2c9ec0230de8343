// Ids for requests, which come by the thousand a second, and the traces that begin with them: drawn in blocks.
import { v4 as uuid } from 'uuid';

const blockSize = 4096;
const lastDigits = 3;
/** Digits of the id of a span (W3C Trace Context, section 3.2.2.4). */
const spanDigits = 16;
const numbers = Array.from({ length: blockSize }, (_, number) => number.toString(16).padStart(lastDigits, '0'));

/**
 * Makes version 4 UUIDs (RFC 9562 section 5.4) whose last three digits count, so that 4096 of them cost one random draw. Unique across
 * processes and machines; not secret, since one tells its neighbours.
 */
export class RequestIds {
  readonly #flags: string;
  #block = '';
  #traceStart = '';
  #traceEnd = '';
  #next = blockSize;
  #number = '';

  /** @param sampled whether the traces that begin here are to be recorded */
  constructor(sampled: boolean) {
    this.#flags = sampled ? '01' : '00';
  }

  /** A new id. */
  next(): string {
    if (this.#next === blockSize) this.#begin();
    this.#number = numbers[this.#next++] as string;
    return this.#block + this.#number;
  }

  /**
   * The header line by which a backend is told that a trace begins, whose id is the last one that was made here, without its hyphens. The id of
   * its span need not differ from that of other traces, so that a block shares one.
   */
  traceLine(): string {
    return this.#traceStart + this.#number + this.#traceEnd;
  }

  #begin(): void {
    this.#block = uuid().slice(0, -lastDigits);
    this.#next = 0;
    const digits = this.#block.replaceAll('-', '');
    this.#traceStart = `traceparent: 00-${digits}`;
    // The digit that tells the variant of the UUID is among them: they are never all zero.
    this.#traceEnd = `-${digits.slice(-spanDigits)}-${this.#flags}\r\n`;
  }
}
