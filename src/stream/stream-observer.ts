// What somebody who watches a stream from inside this process is told: each request, and what became of it.
import type { StreamClient } from './stream-client.js';

/** Waits for the answer to one request; one of the two is called, once. */
export interface AnswerTaker {
  /** @param answer the watcher's own copy */
  answered(answer: Buffer): void;
  failed(error: Error): void;
}

/** Must not throw. Without one, none of this costs anything. */
export interface StreamObserver {
  /**
   * `fifo` and `funnel`: a request was handed to a target.
   * @param request the watcher's own copy
   */
  requested(client: StreamClient, request: Buffer): AnswerTaker;
  /** `proxy`: bytes passed. @param bytes valid until this returns */
  relayed(client: StreamClient, from: 'client' | 'target', bytes: Buffer): void;
  /** `proxy`: the target says no more, or one side has gone; may be told more than once. @param error null: in good order */
  relayEnded(client: StreamClient, error: Error | null): void;
  /** No target could be connected to, or one was lost while it owed an answer. */
  targetFailed(error: Error): void;
}
