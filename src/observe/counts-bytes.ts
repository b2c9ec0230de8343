// Counts as bytes: how nodes tell them to the store and to monitors.
import type { ByteReader, ByteWriter } from '../base/varints.js';
import { type BackendCounts, FrontendCounts } from './frontend-counts.js';
import { readCodes, readErrors, writeCodes, writeErrors } from './keyed-bytes.js';
import { LatencyCounts, lastBucket } from './latency-counts.js';

/** A frontend and its backends whose names were read: what follows is in their order. */
export interface NamedCounts {
  readonly counts: FrontendCounts;
  readonly backends: readonly BackendCounts[];
}

/** All of a frontend. */
export function writeFrontend(out: ByteWriter, counts: FrontendCounts): void {
  writeNames(out, counts);
  writeNumbers(out, counts);
  writeLatencies(out, counts);
}

/** @throws Error for bytes that nobody wrote */
export function readFrontend(from: ByteReader): FrontendCounts {
  const named = readNames(from);
  readNumbers(from, named);
  readLatencies(from, named);
  return named.counts;
}

export function writeNames(out: ByteWriter, { name, backends }: FrontendCounts): void {
  out.text(name);
  out.number(backends.size);
  for (const { id } of backends.values()) out.text(id);
}

export function readNames(from: ByteReader): NamedCounts {
  const counts = new FrontendCounts(from.text());
  const backends = Array.from({ length: from.count() }, () => counts.backend(from.text()));
  return { counts, backends };
}

export function writeNumbers(out: ByteWriter, counts: FrontendCounts): void {
  writeOwnNumbers(out, counts);
  for (const backend of counts.backends.values()) writeBackendNumbers(out, backend);
}

/** Of a frontend without its backends. */
export function writeOwnNumbers(out: ByteWriter, counts: FrontendCounts): void {
  out.number(counts.requests);
  out.number(counts.hits);
  out.number(counts.active);
  out.number(counts.running);
  out.number(counts.runningMax);
  out.number(counts.waiting);
  out.number(counts.waitingMax);
  out.number(counts.queued);
  out.number(counts.retries);
  out.number(counts.bytesIn);
  out.number(counts.bytesOut);
  writeCodes(out, counts.codes);
  writeErrors(out, counts.errors);
}

export function writeBackendNumbers(out: ByteWriter, counts: BackendCounts): void {
  out.number(counts.attempts);
  out.number(counts.active);
  out.number(counts.activeMax);
  writeCodes(out, counts.codes);
  writeErrors(out, counts.errors);
}

export function readNumbers(from: ByteReader, { counts, backends }: NamedCounts): void {
  counts.requests = from.number();
  counts.hits = from.number();
  counts.active = from.number();
  counts.running = from.number();
  counts.runningMax = from.number();
  counts.waiting = from.number();
  counts.waitingMax = from.number();
  counts.queued = from.number();
  counts.retries = from.number();
  counts.bytesIn = from.number();
  counts.bytesOut = from.number();
  readCodes(from, [counts]);
  readErrors(from, [counts]);
  for (const backend of backends) {
    backend.attempts += from.number();
    backend.active += from.number();
    backend.activeMax = Math.max(backend.activeMax, from.number());
    readCodes(from, [backend]);
    readErrors(from, [backend]);
  }
}

export function writeLatencies(out: ByteWriter, counts: FrontendCounts): void {
  writeLatency(out, counts);
  for (const backend of counts.backends.values()) writeLatency(out, backend);
}

export function readLatencies(from: ByteReader, { counts, backends }: NamedCounts): void {
  counts.latency = readLatency(from);
  for (const backend of backends) backend.latency.add(readLatency(from));
}

/** Of both windows, where there are two: the buckets without empty ones at both ends. */
function writeLatency(out: ByteWriter, { latency, earlier }: FrontendCounts | BackendCounts): void {
  const from = Math.min(lowest(latency), earlier === null ? Infinity : lowest(earlier));
  const to = Math.max(highest(latency), earlier === null ? -1 : highest(earlier));
  if (to < from) {
    out.number(0);
    return;
  }
  out.number(to - from + 1);
  out.number(latency.sum + (earlier?.sum ?? 0));
  out.number(from);
  for (let bucket = from; bucket <= to; bucket++) {
    out.number(latency.inBucket(bucket) + (earlier === null ? 0 : earlier.inBucket(bucket)));
  }
}

/** The first bucket with anything in it; Infinity: there is none. */
function lowest({ first, buckets, count }: LatencyCounts): number {
  if (count === 0) return Infinity;
  let at = 0;
  while (buckets[at] === 0) at++;
  return first + at;
}

/** The last one; -1: there is none. */
function highest({ first, buckets, count }: LatencyCounts): number {
  if (count === 0) return -1;
  let at = buckets.length - 1;
  while (buckets[at] === 0) at--;
  return first + at;
}

function readLatency(from: ByteReader): LatencyCounts {
  const latency = new LatencyCounts();
  const length = from.count();
  if (length === 0) return latency;
  latency.sum = from.number();
  latency.first = from.number();
  if (latency.first + length - 1 > lastBucket) throw new Error('a latency is beyond all buckets');
  for (let left = length; left > 0; left--) {
    const count = from.number();
    latency.buckets.push(count);
    if (count > 0) latency.used++;
    latency.count += count;
  }
  return latency;
}
