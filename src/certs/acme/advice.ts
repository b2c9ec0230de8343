// When an authority wants a certificate of its own to be replaced (RFC 9773), asked as seldom as it allows.
import { X509Certificate } from 'node:crypto';
import type { CertificatePair } from '../../model/certificate.js';
import type { AcmeClient } from './acme-client.js';
import { adviceLasts, parseRenewalWindow, type RenewalWindow } from './renewal.js';
import { renewalId } from './x509.js';

export interface Advice {
  /** The certificate that it is on. */
  readonly fingerprint: string;
  /** Null: the authority has no wish. */
  readonly window: RenewalWindow | null;
  /** When it is asked again, in milliseconds since the epoch. */
  readonly until: number;
}

/**
 * The advice on a certificate. Never rejects: while the authority is away its last word counts.
 * @param before what it said last, on this or an earlier certificate
 * @param client called only when it is to be asked
 */
export async function adviceOn(
  { fingerprint, certificate }: CertificatePair,
  before: Advice | null,
  client: () => Promise<AcmeClient>,
): Promise<Advice> {
  const now = Date.now();
  const last = before?.fingerprint === fingerprint ? before : null;
  if (last !== null && last.until > now) return last;
  const id = renewalId(new X509Certificate(certificate).raw);
  try {
    const info = id === '' ? null : await (await client()).renewalInfo(id);
    const window = info === null ? null : parseRenewalWindow(info.fields);
    return { fingerprint, window, until: now + adviceLasts(info?.retryAfter ?? 0) };
  } catch {
    return { fingerprint, window: last?.window ?? null, until: now + adviceLasts(0) };
  }
}
