// Checks that a peer does the whole job before and after it is measured, so that no figure compares different work.
import { createReadStream } from 'node:fs';
import { seenPath } from './backend.js';
import type { RunningPeer } from './peers/peer.js';
import { ask } from './ready.js';
import type { Scenario } from './scenarios.js';

/** Asks once for the job's answer and for what the backend sees. Throws when status, body, forwarded headers or keep-alive are not as they should be. */
export async function checkJob(name: string, peer: RunningPeer, scenario: Scenario): Promise<void> {
  const { method, path, headers, requestBodyBytes } = scenario;
  const answer = await ask(peer.port, path, method, headers, 'x'.repeat(requestBodyBytes));
  if (answer.status !== 200 || answer.body.length !== scenario.responseBodyBytes) {
    throw new Error(`${name} answered ${scenario.name} with status ${answer.status} and ${answer.body.length} bytes`);
  }
  const keep = { ...headers, Connection: 'keep-alive' };
  await ask(peer.port, seenPath, 'GET', keep);
  const seen: unknown = JSON.parse((await ask(peer.port, seenPath, 'GET', keep)).body.toString());
  if (!isSeen(seen)) throw new Error(`${name} did not relay what the backend saw`);
  if (!/^(::ffff:)?127\.0\.0\.1$/.test(seen.for) || seen.proto !== 'http' || !/^\d+$/.test(seen.port)) {
    throw new Error(`${name} sent other forwarded headers than expected: ${JSON.stringify(seen)}`);
  }
  // Both came on client connections of their own; the second must have found the first one's backend connection. (They say
  // keep-alive because http-proxy hands the client's `Connection` on and would close the backend's with it.)
  if (seen.requests < 2) throw new Error(`${name} does not keep connections to the backend`);
}

/** Counts the lines of the access log after the peer was stopped. Throws when there are fewer than requests. */
export async function checkLog(name: string, peer: RunningPeer, requests: number): Promise<void> {
  let lines = 0;
  for await (const chunk of createReadStream(peer.accessLog, { highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  }
  if (lines < requests) throw new Error(`${name} wrote ${lines} log lines for ${requests} requests`);
}

interface Seen {
  readonly for: string;
  readonly proto: string;
  readonly port: string;
  readonly requests: number;
}

function isSeen(value: unknown): value is Seen {
  return (
    typeof value === 'object' && value !== null && 'for' in value && 'proto' in value && 'port' in value && 'requests' in value
  );
}
