// The header by which programs tell each other which trace a request belongs to (W3C Trace Context).
import { allNames } from '../../http1/header-names.js';

/** The span that a client says is the parent of ours. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** 1: it is recorded. */
  readonly flags: number;
}

/** Names of the lines that tell of a trace, in lower case. */
export const traceNames: ReadonlySet<string> = allNames(new Set(['traceparent', 'tracestate']));

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Section 3.2: later versions may add to it, the first one may not; an id of zeros is none. Null: it makes no sense. */
export function parseTraceParent(value: string): TraceParent | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (!/[^0]/.test(traceId) || !/[^0]/.test(spanId)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}
