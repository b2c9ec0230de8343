// Certificates: stored, listed with names and dates, removed. A private key goes in and never comes out.

import { checkCertificate } from '../../certs/check-certificate.js';
import { fieldsOf, type StoredRecord } from '../../model/record-kind.js';
import { sortedRecord } from '../../store/change.js';
import { invalidBody, notFound } from '../problem.js';
import type { Workspace, WriteConditions, Written } from '../workspace.js';
import { sslValues } from './certificate-values.js';
import { checkConditions, etagOf, isThere } from './etag.js';
import { frontendName, touchable } from './names.js';
import type { CertificateBody } from './schemas.js';
import { type NameQuery, walkNames } from './walk-names.js';
import { writeRecords } from './write-records.js';

/** A certificate as callers see it. */
export interface CertificateDocument {
  readonly domain: string;
  /** PEM: the certificate and its chain, of the first usable pair. */
  readonly cert: string;
  /** As they stand in the certificate. */
  readonly names: string;
  readonly fingerprint: string;
  readonly keyType: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Why it cannot be used. */
  readonly faults?: readonly string[];
  /** What clients will object to. */
  readonly warnings?: readonly string[];
}

/** A page of certificates, by domain. */
export async function listCertificates(
  workspace: Workspace,
  query: NameQuery,
): Promise<{ readonly certificates: readonly CertificateDocument[]; readonly cursor: string }> {
  const { names, cursor } = await walkNames(workspace, 'tls', query);
  const records = await Promise.all(names.map((name) => workspace.store.readRecord('tls', name)));
  const certificates = names.flatMap((name, at) => (isThere(records[at]!) ? [document(workspace, name, records[at]!)] : []));
  return { certificates, cursor };
}

/** @throws Problem `not-found` */
export async function readCertificate(
  workspace: Workspace,
  domain: string,
): Promise<{ readonly certificate: CertificateDocument; readonly etag: string }> {
  const name = domainName(workspace, domain);
  const record = await workspace.store.readRecord('tls', name);
  if (!isThere(record)) throw notFound('Certificate');
  return { certificate: document(workspace, name, record), etag: tagOf(record.values) };
}

/** Stores a certificate, or replaces the one of that domain. There need be no route. @throws Problem for a pair that cannot be used */
export async function putCertificate(
  workspace: Workspace,
  body: CertificateBody,
  conditions: WriteConditions,
): Promise<Written<CertificateDocument>> {
  const name = domainName(workspace, body.domain);
  let created = false;
  let values: readonly string[] = [];
  const { revision } = await writeRecords(
    workspace,
    { action: 'put', target: `certificate ${name}` },
    [{ kind: 'tls', name }],
    ([tls]) => {
      created = !isThere(tls!);
      checkConditions(conditions, !created, tagOf(tls!.values));
      values = sslValues(workspace, name, body, tls!, '');
      return { after: [values] };
    },
  );
  const value = document(workspace, name, { values, fault: '' });
  return { value, etag: tagOf(values), revision, created, warnings: value.warnings ?? [] };
}

/** @throws Problem `not-found` */
export async function deleteCertificate(
  workspace: Workspace,
  domain: string,
  conditions: WriteConditions,
): Promise<{ readonly revision: number }> {
  const name = domainName(workspace, domain);
  const deed = { action: 'delete', target: `certificate ${name}` };
  const { revision } = await writeRecords(workspace, deed, [{ kind: 'tls', name }], ([tls]) => {
    checkConditions(conditions, isThere(tls!), tagOf(tls!.values));
    if (!isThere(tls!)) throw notFound('Certificate');
    return { after: [[]] };
  });
  return { revision };
}

function domainName(workspace: Workspace, domain: string): string {
  const name = frontendName(domain, '/domain');
  if (name.includes('/') || /:\d+$/.test(name.replace(/^\[.*\]/, '')))
    throw invalidBody([{ pointer: '/domain', detail: 'must be a host without port and path' }]);
  return touchable(workspace, name);
}

function tagOf(values: readonly string[]): string {
  return etagOf([sortedRecord('tls', values)]);
}

function document({ vault }: Pick<Workspace, 'vault'>, domain: string, record: StoredRecord): CertificateDocument {
  const parsed = checkCertificate(domain, record, (name, text) => vault.open(`tls:${name}`, text), Date.now());
  const [pair] = parsed.pairs;
  return {
    domain,
    cert: pair?.certificate ?? fieldsOf(record).get('certificate') ?? '',
    names: pair?.names ?? '',
    fingerprint: pair?.fingerprint ?? '',
    keyType: pair?.keyType ?? '',
    notBefore: dateText(pair?.notBefore),
    notAfter: dateText(pair?.notAfter),
    ...(parsed.faults.length === 0 ? {} : { faults: parsed.faults }),
    ...(parsed.warnings.length === 0 ? {} : { warnings: parsed.warnings }),
  };
}

function dateText(milliseconds: number | undefined): string {
  return milliseconds === undefined || Number.isNaN(milliseconds) ? '' : new Date(milliseconds).toISOString();
}
