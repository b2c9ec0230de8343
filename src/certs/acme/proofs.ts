// The ways to prove that a name is ours: each puts what the authority will look for in its place, and takes it away again.
import { createHash } from 'node:crypto';
import type { ChallengeKind } from '../../config/config.js';
import type { ChallengeRecords } from './challenge-records.js';
import { runDnsHook } from './dns-hook.js';
import { challengeCertificate } from './x509.js';

/** What an authority looks for. */
export interface Challenge {
  readonly kind: ChallengeKind;
  /** The name that is proved, e.g. `*.example.com`. */
  readonly name: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

export interface Proofs {
  /** Resolves when the authority can find it, on any node. */
  present(challenge: Challenge): Promise<void>;
  withdraw(challenge: Challenge): Promise<void>;
}

export interface ProofParts {
  readonly records: ChallengeRecords;
  /** Path of the program for `dns-01`, and the milliseconds that it may take. */
  readonly dnsHook: string;
  readonly dnsHookTimeout: number;
  readonly signal: AbortSignal;
}

export function createProofs({ records, dnsHook, dnsHookTimeout, signal }: ProofParts): Proofs {
  const change = (action: 'present' | 'cleanup', { name, keyAuthorization }: Challenge): Promise<void> =>
    runDnsHook(
      {
        action,
        domain: name,
        // RFC 8555 section 8.4; a wildcard is proved by the name below it.
        record: `_acme-challenge.${name.replace(/^\*\./, '')}`,
        value: createHash('sha256').update(keyAuthorization).digest('base64url'),
      },
      // A record must be taken away also when nobody waits for the certificate any more.
      { program: dnsHook, timeout: dnsHookTimeout, signal: action === 'present' ? signal : new AbortController().signal },
    );
  return {
    async present(challenge) {
      switch (challenge.kind) {
        case 'http-01':
          return records.putAuthorization(challenge.token, challenge.keyAuthorization);
        case 'tls-alpn-01':
          return records.putPair(challenge.name, challengeCertificate(challenge.name, challenge.keyAuthorization));
        case 'dns-01':
          return change('present', challenge);
      }
    },
    async withdraw(challenge) {
      switch (challenge.kind) {
        case 'http-01':
          return records.dropAuthorization(challenge.token);
        case 'tls-alpn-01':
          return records.dropPair(challenge.name);
        case 'dns-01':
          return change('cleanup', challenge);
      }
    },
  };
}
