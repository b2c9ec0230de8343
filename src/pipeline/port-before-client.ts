// A port that stands before the client's and changes what passes; whatever it does not change goes on to the client.
import type { Downstream } from '../exchange/downstream.js';
import type { Exchange } from '../exchange/exchange.js';
import type { ResponseHead } from '../http1/message.js';

export abstract class PortBeforeClient implements Downstream {
  /** What it stands before. */
  readonly client: Downstream;

  constructor(exchange: Exchange) {
    this.client = exchange.downstream;
  }

  get begun(): boolean {
    return this.client.begun;
  }

  get bytesSent(): number {
    return this.client.bytesSent;
  }

  get bodyBytesSent(): number {
    return this.client.bodyBytesSent;
  }

  interim(head: ResponseHead): void {
    this.client.interim(head);
  }

  abstract begin(head: ResponseHead, extra: string, buffer: Buffer, start: number, end: number, last: boolean): boolean;
  abstract write(buffer: Buffer, start: number, end: number, last: boolean): boolean;
  abstract end(trailers: string): void;

  switchProtocols(head: ResponseHead, extra: string): void {
    this.client.switchProtocols(head, extra);
  }

  cut(): void {
    this.client.cut();
  }

  released(): void {
    this.client.released();
  }
}
