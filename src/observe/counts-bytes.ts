// Counts as bytes: how workers tell them to their node, and nodes to the store.
import type { ByteReader, ByteWriter } from '../base/varints.js';
import { type BackendCounts, FrontendCounts } from './frontend-counts.js';
import type { KeyedCounts } from './keyed-counts.js';
import { LatencyCounts, lastBucket } from './latency-counts.js';

/** @param backends those that are told of */
export function writeFrontend(out: ByteWriter, counts: FrontendCounts, backends: readonly BackendCounts[]): void {
  out.text(counts.name);
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
  writeLatency(out, latencyOf(counts));
  out.number(backends.length);
  for (const backend of backends) writeBackend(out, backend);
}

function writeBackend(out: ByteWriter, counts: BackendCounts): void {
  out.text(counts.id);
  out.number(counts.attempts);
  out.number(counts.active);
  out.number(counts.activeMax);
  writeCodes(out, counts.codes);
  writeErrors(out, counts.errors);
  writeLatency(out, latencyOf(counts));
}

/** @throws Error for bytes that nobody wrote */
export function readFrontend(from: ByteReader): FrontendCounts {
  const counts = new FrontendCounts(from.text());
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
  readCodes(from, counts.codes);
  readErrors(from, counts.errors);
  counts.latency = readLatency(from);
  for (let left = from.count(); left > 0; left--) readBackend(from, counts);
  return counts;
}

function readBackend(from: ByteReader, frontend: FrontendCounts): void {
  const counts = frontend.backend(from.text());
  counts.attempts += from.number();
  counts.active += from.number();
  counts.activeMax = Math.max(counts.activeMax, from.number());
  readCodes(from, counts.codes);
  readErrors(from, counts.errors);
  counts.latency.add(readLatency(from));
}

function writeCodes(out: ByteWriter, { keys, counts }: KeyedCounts<number>): void {
  out.number(keys.length);
  for (let at = 0; at < keys.length; at++) {
    out.number(keys[at] as number);
    out.number(counts[at] as number);
  }
}

function readCodes(from: ByteReader, codes: KeyedCounts<number>): void {
  for (let left = from.count(); left > 0; left--) {
    const code = from.number();
    codes.add(code, from.number());
  }
}

function writeErrors(out: ByteWriter, { keys, counts }: KeyedCounts<string>): void {
  out.number(keys.length);
  for (let at = 0; at < keys.length; at++) {
    out.text(keys[at] as string);
    out.number(counts[at] as number);
  }
}

function readErrors(from: ByteReader, errors: KeyedCounts<string>): void {
  for (let left = from.count(); left > 0; left--) {
    const code = from.text();
    errors.add(code, from.number());
  }
}

/** Of both windows, where there are two. */
function latencyOf({ latency, earlier }: FrontendCounts | BackendCounts): LatencyCounts {
  if (earlier === null) return latency;
  const both = new LatencyCounts();
  both.add(earlier);
  both.add(latency);
  return both;
}

/** The buckets without empty ones at both ends. */
function writeLatency(out: ByteWriter, { first, buckets, count, sum }: LatencyCounts): void {
  let low = 0;
  let high = count === 0 ? 0 : buckets.length;
  while (low < high && buckets[low] === 0) low++;
  while (high > low && buckets[high - 1] === 0) high--;
  out.number(high - low);
  if (high === low) return;
  out.number(sum);
  out.number(first + low);
  for (let at = low; at < high; at++) out.number(buckets[at] as number);
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
    latency.count += count;
  }
  return latency;
}
