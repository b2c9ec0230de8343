// The two ends that the http-proxy package expects of a server, made from an exchange: a request to read, a response to watch.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

/** Whoever answers for what the package does with a request. */
export interface RequestOwner {
  /** The package wants more of the request body. */
  bodyWanted(): void;
}

/**
 * The request as the package reads it: method, target, and a body that it pipes. Nothing is delivered before the owner
 * pushes, so the head of the outgoing request can be set first.
 */
export class RequestStream<Owner extends RequestOwner> extends Readable {
  readonly owner: Owner;
  readonly method: string;
  readonly url: string;
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  /** Replaced before anything is sent; Host stands here so that node:http makes up none. */
  readonly headers: Record<string, string>;
  /** The package asks it whether the client has left; that is told by the exchange instead. */
  readonly socket = { destroyed: false };

  constructor(owner: Owner, method: string, url: string, host: string) {
    super();
    this.owner = owner;
    this.method = method;
    this.url = url;
    this.headers = { host };
  }

  override _read(): void {
    this.owner.bodyWanted();
  }

  /** The package reads only the fields above of an IncomingMessage, and pipes it. */
  asIncomingMessage(): IncomingMessage {
    return this as unknown as IncomingMessage;
  }
}

/**
 * The response as the package watches it. The answer itself goes past it (`selfHandleResponse`), since a ServerResponse
 * would lower-case names, reorder lines and choose the framing; what remains is the signal to give the backend up.
 */
export class ResponseSignal extends EventEmitter {
  readonly headersSent = false;
  readonly finished = false;
  readonly writableFinished = false;

  /** Makes the package destroy its request to the backend: to it the client has left. */
  giveUp(): void {
    this.emit('close');
  }

  /** The package reads only the fields above of a ServerResponse, and listens to `close`. */
  asServerResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}
