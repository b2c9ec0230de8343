// Waiting until a server that was just started does its work.
import { request } from 'node:http';
import type { StartedProcess } from './processes.js';

/** The host name that every request of the bench carries, and the frontend of our node. */
export const benchHost = 'bench.example';

const patienceMilliseconds = 15_000;
const pauseMilliseconds = 25;

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Sends one request to a port of 127.0.0.1 on a connection of its own. Rejects with the socket's error. */
export function ask(
  port: number,
  path: string,
  method = 'GET',
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === '' ? {} : { 'Content-Length': String(body.length) };
    const sent = request({
      port,
      path,
      method,
      host: '127.0.0.1',
      agent: false,
      timeout: 5_000,
      headers: { Host: benchHost, ...headers, ...length },
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer within 5 s')));
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    sent.end(body);
  });
}

/**
 * Waits until `attempt` gives true; a rejection counts as "not yet". Throws when the process has ended or 15 s have passed,
 * with what the process said.
 */
export async function waitUntilReady(name: string, server: StartedProcess, attempt: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  let last = '';
  while (server.running && Date.now() < deadline) {
    try {
      if (await attempt()) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
  const how = server.running ? `is not ready after ${patienceMilliseconds / 1000} s` : 'ended at once';
  throw new Error(`${name} ${how}${last === '' ? '' : ` (${last})`}: ${server.complaint()}`);
}
