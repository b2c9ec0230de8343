// The contract of whoever wants to know how attempts go: loads of backends, circuit breakers.
import type { ErrorCode } from '../errors/catalog.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';

/**
 * Told of every attempt for a route with a policy, or of all attempts where `server.strategy` needs it. Called on the path of
 * a request: must be quick, and must not throw.
 */
export interface AttemptObserver {
  /**
   * An attempt begins. `ended` follows exactly once, whatever becomes of it.
   * @param first whether it is the first one of its exchange
   */
  started(route: Route, backend: Backend, first: boolean): void;
  /**
   * The head of the backend's answer is here, which may still be turned down.
   * @param milliseconds since the request was handed to a connection
   */
  answered(route: Route, backend: Backend, status: number, milliseconds: number): void;
  /** The attempt failed, before an answer or within it; not called when the client left. */
  failed(route: Route, backend: Backend, code: ErrorCode): void;
  /** The attempt is over: answered whole, failed, given up because the client left, or, for a tunnel, closed. */
  ended(route: Route, backend: Backend): void;
}
