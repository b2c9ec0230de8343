// Puts our own tables of streams into a session of node:http2, whose Map and Set keep streams alive that are closed.
//
// Node does not document the state of a session: where it is not as expected, the session stays as it is.
import type { Http2Session } from 'node:http2';
import { StreamSet } from './stream-set.js';
import { StreamTable } from './stream-table.js';

/** What is known of a session's state. */
interface SessionState {
  streams?: unknown;
  pendingStreams?: unknown;
}

/** Call it while the session has no stream. @returns whether it has the tables now */
export function useOwnTables(session: Http2Session): boolean {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  if (key === undefined) return false;
  const state = (session as unknown as Record<symbol, SessionState | undefined>)[key];
  if (state === undefined || !isEmpty(state.streams, 'set') || !isEmpty(state.pendingStreams, 'add')) return false;
  state.streams = new StreamTable();
  state.pendingStreams = new StreamSet();
  return true;
}

/** Node's own are no instances of Map and Set, though they have all that these have. */
function isEmpty(table: unknown, adds: 'set' | 'add'): boolean {
  const known = table as Partial<Record<'set' | 'add', unknown> & { readonly size: number }> | undefined;
  return known?.size === 0 && typeof known[adds] === 'function';
}
