// A certificate and its key as they are stored: checked to belong together, the key sealed where there is a secret.
import { checkCertificate } from '../../certs/check-certificate.js';
import { fieldsOf, type StoredRecord } from '../../model/record-kind.js';
import { invalidBody } from '../problem.js';
import type { Workspace } from '../workspace.js';
import { redacted } from './concealed.js';
import type { SslBody } from './schemas.js';

/**
 * The `tls:` hash for a pair, its key sealed where there is a secret. A key that is the one that is there stays as it is stored.
 * @param pointer where the pair stands in the body
 * @throws Problem for a pair that cannot be used
 */
export function sslValues(
  { vault }: Pick<Workspace, 'vault'>,
  name: string,
  { cert, key }: SslBody,
  present: StoredRecord,
  pointer: string,
): readonly string[] {
  const stored = fieldsOf(present);
  const openKey = (host: string, text: string): string => vault.open(`tls:${host}`, text);
  const old = stored.get('key') ?? '';
  if (key === redacted && old === '')
    throw invalidBody([{ pointer: `${pointer}/key`, detail: 'there is none yet that could stay; send it' }]);
  const plain = key === redacted ? old : key;
  const { pairs, faults } = checkCertificate(
    name,
    { values: ['certificate', cert, 'key', plain], fault: '' },
    openKey,
    Date.now(),
  );
  if (pairs.length === 0) {
    throw invalidBody(
      faults.map((text) => ({
        pointer: `${pointer}/${text.startsWith('key') ? 'key' : 'cert'}`,
        detail: text.replace(/^(key|certificate) /, ''),
      })),
    );
  }
  const kept = key === redacted || isSameKey(openKey, name, old, key);
  const others = present.values.filter((_text, at) => !['certificate', 'key'].includes(present.values[at - (at % 2)] as string));
  return ['certificate', cert, 'key', kept ? old : vault.seal(`tls:${name}`, key), ...(kept ? others : [])];
}

/** Sealing gives another text each time, so that texts cannot be compared. */
function isSameKey(openKey: (name: string, text: string) => string, name: string, stored: string, key: string): boolean {
  if (stored === '') return false;
  try {
    return openKey(name, stored).trim() === key.trim();
  } catch {
    return false;
  }
}
