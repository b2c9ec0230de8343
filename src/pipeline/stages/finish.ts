// The one place where every exchange ends: writes its log line and counts it.
import { performance } from 'node:perf_hooks';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import { emptyAccessRecord } from '../../observe/access-line.js';
import type { AccessLog } from '../../observe/access-log.js';
import type { EventBus } from '../../observe/events.js';
import type { FrontendCounts } from '../../observe/frontend-counts.js';
import type { Metrics } from '../../observe/metrics.js';
import type { Tally } from '../../observe/tally.js';
import { tellEnd } from '../exchange-events.js';
import { isPing } from './self.js';

/** What accounting needs. */
export interface FinishParts {
  readonly accessLog: AccessLog;
  readonly metrics: Metrics;
  readonly tally: Tally;
  /** Told how exchanges end; null: nobody wants to know. */
  readonly events: EventBus | null;
}

/** Counts the beginning of an exchange; `createFinish` makes its counterpart. */
export function createBegin(metrics: Metrics): (exchange: Exchange) => void {
  return (exchange) => {
    if (isPing(exchange.head.authority)) return;
    metrics.requests++;
    metrics.active++;
  };
}

export function createFinish({ accessLog, metrics, tally, events }: FinishParts): (exchange: Exchange) => void {
  // One record for all: the log has made a line of it when it returns.
  const record = emptyAccessRecord();

  return (exchange) => {
    const { head, downstream } = exchange;
    // Health checks of load balancers would drown the rest.
    if (isPing(head.authority)) return;
    const totalMs = (exchange.completedAt || performance.now()) - exchange.startedAt;
    const backendMs = exchange.answeredAt > 0 ? exchange.answeredAt - exchange.sentAt : -1;
    exchange.trace?.ended(exchange);
    if (exchange.status === 0) exchange.status = clientGone;
    metrics.active--;
    if (exchange.tunnel) metrics.tunnels--;
    count(exchange, exchange.counts ?? tally.none, totalMs);
    if (events !== null) tellEnd(events, exchange, totalMs, backendMs);
    if (!accessLog.enabled) return;
    record.clientAddress = exchange.clientAddress === '' ? exchange.client.address : exchange.clientAddress;
    record.time = Date.now() - totalMs;
    record.method = head.method;
    record.target = head.target;
    record.protocol = exchange.protocol;
    record.status = exchange.status;
    record.bytesSent = downstream.bytesSent;
    record.bodyBytesSent = downstream.bodyBytesSent;
    record.referer = head.headers.first(Kind.referer);
    record.userAgent = head.headers.first(Kind.userAgent);
    record.identifier = exchange.route?.identifier ?? '';
    record.host = head.authority;
    record.totalMs = totalMs;
    record.backendMs = backendMs;
    record.backend = exchange.backend?.origin ?? '';
    record.requestId = exchange.id;
    record.outcome = exchange.outcome;
    record.error = exchange.error?.code ?? '';
    record.scheme = exchange.scheme;
    accessLog.write(record);
  };
}

/** Adds an exchange that has ended to what is counted of its frontend. */
function count(exchange: Exchange, counts: FrontendCounts, totalMs: number): void {
  const { head, error } = exchange;
  counts.requests++;
  counts.bytesIn += head.line.length + head.headers.text.length + lineEnd + exchange.body.received;
  counts.bytesOut += exchange.downstream.bytesSent;
  counts.codes.add(exchange.status, 1);
  if (error !== null) counts.errors.add(error.code, 1);
  if (exchange.counts === null) return;
  counts.active--;
  if (exchange.attempts === 0) return;
  counts.running--;
  exchange.endAttempt();
  // How long a WebSocket was open says nothing about how fast its backend is.
  if (exchange.answeredAt > 0 && !exchange.tunnel) counts.latency.record(totalMs);
}

/** Bytes of the empty line that ends a head. */
const lineEnd = 2;

/** Logged for an exchange whose client left before any answer; never sent. */
const clientGone = 499;
