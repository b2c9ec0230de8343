// A registration over HTTP: who may, what is read of the body, and what is answered.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAddressSet } from '../base/ip.js';
import { parseRegisteredRoute, type RegisteredRoute } from './registered-route.js';

/** Why a registration is refused: the message of the error that listeners get, and the status of the answer. */
export const refusals = {
  FORBIDDEN: 403,
  METHOD_NOT_ALLOWED: 405,
  BAD_REQUEST: 400,
  BODY_TOO_LARGE: 413,
  INCOMPLETE_REQUEST: 400,
  STORE_AWAY: 503,
} as const;

export type RegisterRefusal = keyof typeof refusals;

/** This machine, by the address of the socket alone: headers can be made up. */
const local = createAddressSet(['127.0.0.0/8', '::1']);

const largestBody = 64 * 1024;

/** Gives the route that a request registers, why it does not, or null for a client that left. The checks are in this order. */
export async function readRegistration(
  request: IncomingMessage,
  hosts: 'localhost' | 'any',
): Promise<RegisteredRoute | RegisterRefusal | null> {
  if (!local.has(request.socket.remoteAddress ?? '')) return 'FORBIDDEN';
  if (request.method !== 'POST') return 'METHOD_NOT_ALLOWED';
  const body = await readBody(request);
  if (body === null || body === 'BODY_TOO_LARGE') return body;
  let written: unknown;
  try {
    written = JSON.parse(body.toString('utf8'));
  } catch {
    return 'BAD_REQUEST';
  }
  return parseRegisteredRoute(written, hosts) ?? 'INCOMPLETE_REQUEST';
}

/** The answer to a registration that is in force. */
export function answerRegistered(response: ServerResponse, { host, port, prefix }: RegisteredRoute): void {
  const body = JSON.stringify({ message: 'Registered.', host, port, prefix });
  response.writeHead(200, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' });
  response.end(body);
}

function readBody(request: IncomingMessage): Promise<Buffer | 'BODY_TOO_LARGE' | null> {
  return new Promise((resolve) => {
    // A body parser in front may have taken it.
    if (request.readableEnded) {
      resolve(Buffer.alloc(0));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > largestBody) resolve('BODY_TOO_LARGE');
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve(null));
    request.on('close', () => resolve(null));
  });
}
