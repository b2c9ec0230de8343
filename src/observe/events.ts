// One bus for what happens in a proxy, by names with dots: for statistics, and for programs that use the library.
import type { ErrorCode, ErrorSource } from '../errors/catalog.js';

/** A request as events tell of it. */
export interface ProxyRequest {
  /** Request id, as backends and the access log have it. */
  readonly id: string;
  readonly req: {
    readonly method: string;
    /** Path and query as the client sent them. */
    readonly url: string;
    /** Host and port that were asked for. */
    readonly host: string;
    readonly httpVersion: string;
  };
  /** What the client got; `statusCode` 0: nothing yet. */
  readonly res: { readonly statusCode: number; readonly bytesSent: number };
  /** Milliseconds since the epoch when its head was complete. */
  readonly startTime: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly meta: {
    /** Name of the frontend that serves it, e.g. `*.example.com`; empty: none does. */
    readonly vHost: string;
    readonly clientIp: string;
    /** Id of the backend of the last attempt; absent: there was none. */
    readonly targetId?: string;
  };
}

/** A request that has ended. */
export interface EndedRequest extends ProxyRequest {
  /** Milliseconds from its head to the end of the response. */
  readonly durationMs: number;
  /** Milliseconds from the last attempt to the head of the backend's answer; null: no backend answered. */
  readonly backendMs: number | null;
  /** Attempts at backends; 0: it was answered without one. */
  readonly attempts: number;
  /** It became a tunnel, such as a WebSocket, and `durationMs` is how long that was open. */
  readonly tunnel: boolean;
}

/** Why a request failed. */
export interface RequestFault {
  /** Name of the error in the catalog, such as `backend-refused`. */
  readonly code: ErrorCode;
  /** Who caused it. */
  readonly source: ErrorSource;
  /** Public text. */
  readonly message: string;
}

/** An attempt to have a backend answer a request. */
export interface AttemptEvent {
  readonly vHost: string;
  readonly backendId: string;
}

/** A backend that was taken out, or is used again. */
export interface BackendEvent {
  readonly vHost: string;
  readonly backend: {
    readonly id: string;
    /** Scheme and address, or the path of a unix socket. */
    readonly url: string;
  };
}

/** An address that is listened on. */
export interface ListeningAddress {
  readonly address: string;
  readonly port: number;
  /** Spoken to in TLS. */
  readonly secure: boolean;
}

/** What listeners are given, by event. */
export interface ProxyEvents {
  /** A request has found its frontend. Exactly one of the next two follows. */
  'request.started': ProxyRequest;
  /** The client was answered, by a backend or by what the frontend's policy says. */
  'request.completed': EndedRequest;
  /** An error decided the answer or broke it off, or the client left. `meta.vHost` is empty if no frontend was found. */
  'request.failed': EndedRequest & { readonly error: RequestFault };
  /** A request of a frontend began to wait for a slot, or stopped; `waiting` do now. */
  'queue.changed': { readonly vHost: string; readonly waiting: number };
  'attempt.started': AttemptEvent & {
    /** The first attempt of its request. */
    readonly first: boolean;
  };
  /** The head of the backend's answer is here, `milliseconds` after the request was sent to it. */
  'attempt.answered': AttemptEvent & { readonly status: number; readonly milliseconds: number };
  'attempt.failed': AttemptEvent & { readonly code: ErrorCode };
  /** Follows each `attempt.started` once. */
  'attempt.ended': AttemptEvent;
  /** A backend gets no new requests: it failed, a probe or another node said so, or a person took it out (`manual`). */
  'backend.dead': BackendEvent & {
    /** Such as `ECONNREFUSED`; empty: somebody else found out. */
    readonly reason: string;
    /** Milliseconds since the epoch. */
    readonly since: number;
    readonly manual: boolean;
  };
  'backend.alive': BackendEvent;
  /** A frontend, its policy or the dead marks of its backends changed, or it went. `vHost` is empty if anything may have changed. */
  'route.changed': { readonly vHost: string };
  'proxy.listening': { readonly addresses: readonly ListeningAddress[] };
  'proxy.closed': { readonly addresses: readonly ListeningAddress[] };
}

export type ProxyEventName = keyof ProxyEvents;

/** Called with what happened. May do anything but change the flow: what it throws is logged. */
export type ProxyEventListener<N extends ProxyEventName> = (event: ProxyEvents[N]) => void;

type Listeners = { [N in ProxyEventName]?: readonly ProxyEventListener<N>[] };

/** Whoever makes an event asks `listens` before it puts the event together, so that one nobody wants costs a look at a field. */
export class EventBus {
  readonly #listeners: Listeners = {};
  readonly #onFault: (name: ProxyEventName, error: unknown) => void;

  /** @param onFault told of what listeners throw */
  constructor(onFault: (name: ProxyEventName, error: unknown) => void) {
    this.#onFault = onFault;
  }

  listens(name: ProxyEventName): boolean {
    return this.#listeners[name] !== undefined;
  }

  /** Adds a listener; one that is there already is called once more for each time it was added. */
  on<N extends ProxyEventName>(name: N, listener: ProxyEventListener<N>): void {
    this.#set(name, [...(this.#of(name) ?? []), listener]);
  }

  /** Takes a listener away, one time of those it was added. */
  off<N extends ProxyEventName>(name: N, listener: ProxyEventListener<N>): void {
    const listeners = this.#of(name);
    const at = listeners?.lastIndexOf(listener) ?? -1;
    if (listeners === undefined || at === -1) return;
    if (listeners.length === 1) delete this.#listeners[name];
    else this.#set(name, listeners.toSpliced(at, 1));
  }

  emit<N extends ProxyEventName>(name: N, event: ProxyEvents[N]): void {
    // Replaced as a whole when one is added or taken away, so that who listened at the start of the event gets it.
    for (const listener of this.#of(name) ?? []) {
      try {
        listener(event);
      } catch (error) {
        this.#onFault(name, error);
      }
    }
  }

  #of<N extends ProxyEventName>(name: N): readonly ProxyEventListener<N>[] | undefined {
    return this.#listeners[name] as readonly ProxyEventListener<N>[] | undefined;
  }

  #set<N extends ProxyEventName>(name: N, listeners: readonly ProxyEventListener<N>[]): void {
    (this.#listeners as Record<N, readonly ProxyEventListener<N>[]>)[name] = listeners;
  }
}
