// The order of the stages: the table of contents of a request.
import type { Stage } from './stage.js';

/** One stage each, made by the composition root. */
export interface Stages {
  /** Who asks: request id and client address. */
  readonly identify: Stage;
  /** The proxy's own answers: `__ping__`. */
  readonly self: Stage;
  /** Which frontend serves the host. */
  readonly route: Stage;
  /** Sends it to a backend and brings the answer back; the only loop over attempts. */
  readonly forward: Stage;
}

/** Every exchange passes these, in this order; each of them ends in `stages/finish`. */
export function inOrder(stages: Stages): readonly Stage[] {
  return [stages.identify, stages.self, stages.route, stages.forward];
}
