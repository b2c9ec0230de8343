// Answers a certificate authority that looks for the proof of a name (RFC 8555 section 8.3), before anything else is known of the request.
import type { Stage, StageResult } from '../stage.js';

/** Where authorities look. */
export const acmePath = '/.well-known/acme-challenge/';

/**
 * Other tokens go on to their frontend: a backend may have certificates of its own.
 * @param authorizationOf null: nobody here is proving anything by that token
 */
export function createAcmeChallenge(authorizationOf: (token: string) => Promise<string | null>): Stage {
  return (exchange) => {
    const { target, method } = exchange.head;
    if (!target.startsWith(acmePath) || (method !== 'GET' && method !== 'HEAD')) return undefined;
    return authorizationOf(target.slice(acmePath.length)).then(answer, goOn);
  };
}

function answer(authorization: string | null): StageResult {
  return authorization === null ? undefined : { status: 200, contentType: 'application/octet-stream', body: authorization };
}

/** The store is away. */
function goOn(): undefined {
  return undefined;
}
