// `cjs-proxy cert …`: certificates, stored and in force at once on all nodes. A private key goes in and never comes out.
import { readFileSync } from 'node:fs';
import type { CertificateDocument } from '../../management/operations/certificates.js';
import { CommandError, exitCodes } from '../command-error.js';
import { recordPath } from '../fleet/fleet.js';
import { Table } from '../output/table.js';
import type { Session } from '../session.js';

const path = '/certificates';

export interface CertFiles {
  readonly cert: string;
  readonly key: string;
}

/** Stores a certificate, or replaces that of its domain. */
export async function addCert(session: Session, [domain = '']: readonly string[], { cert, key }: CertFiles): Promise<number> {
  const body = { cert: read(cert), key: read(key) };
  const stored = await session.write<CertificateDocument>({ method: 'put', path: recordPath(path, domain), body });
  session.tell(`stored the certificate of ${stored.domain}, for ${stored.names}, until ${stored.notAfter}`, stored);
  return exitCodes.done;
}

export async function removeCert(session: Session, [domain = '']: readonly string[]): Promise<number> {
  await session.write({ method: 'delete', path: recordPath(path, domain) });
  session.tell(`removed the certificate of ${domain}`, { removed: domain });
  return exitCodes.done;
}

export async function listCerts(session: Session, [search = '']: readonly string[]): Promise<number> {
  const all = new Map<string, CertificateDocument>();
  for await (const page of session.pages<CertificateDocument>(path, search === '' ? {} : { search }))
    for (const one of page) all.set(one.domain, one);
  const certificates = [...all.values()];
  if (session.json) {
    session.print(JSON.stringify(certificates));
  } else if (certificates.length === 0) {
    session.note('there is no certificate');
  } else {
    const titles = ['DOMAIN', 'NAMES', 'KEY', 'EXPIRES', 'STATE'].map((title) => ({ title }));
    session.print(new Table(titles).lines(certificates.map(rowOf)).join('\n'));
  }
  return exitCodes.done;
}

function rowOf({ domain, names, keyType, notAfter, faults = [], warnings = [] }: CertificateDocument): string[] {
  const state = [...faults, ...warnings].join('; ');
  return [domain, names, keyType, notAfter.slice(0, 10), state === '' ? 'good' : state];
}

/** @param file `-` is stdin */
function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}
