// Where a frontend stands in picking its backends in turn.

/**
 * Kept with the route and not by name beside it: with more frontends in use than such a table holds each would begin anew with every
 * request, at the first backend of its list. It outlives the route, which is compiled anew with each change and each dead mark.
 */
export class Turn {
  /** Index of the backend that was picked last; -1: none was. */
  last = -1;
  /** What backends have earned and not yet spent, by id, where they have weights. */
  credits: Map<string, number> | null = null;
}
