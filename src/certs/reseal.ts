// Encrypts everything in the store that is kept encrypted anew, with the first secret: after it the others can be taken away.
import { fieldsOf, type RecordKind } from '../model/record-kind.js';
import type { Store } from '../store/store.js';
import type { KeyVault } from './key-vault.js';

export interface Resealed {
  /** Texts that were encrypted; the others were already. */
  readonly count: number;
  /** What could not be, one line each. */
  readonly faults: readonly string[];
}

/** Fields that hold private keys, and the one record that is a text. */
const sealedFields: readonly { readonly kind: RecordKind; readonly begins: RegExp; readonly fields: readonly string[] }[] = [
  { kind: 'tls', begins: /^/, fields: ['key', 'key2'] },
  { kind: 'acme', begins: /^(?:account|name):/, fields: ['key'] },
];

/** Rejects where the store cannot be asked; what was encrypted until then stays so. */
export async function resealAll(
  store: Pick<Store, 'readRecord' | 'writeRecord' | 'scanNames'>,
  vault: KeyVault,
): Promise<Resealed> {
  const faults: string[] = [];
  let count = 0;
  const resealed = (place: string, name: string, text: string): string => {
    if (text === '' || vault.isCurrent(text)) return text;
    try {
      const sealed = vault.seal(name, vault.open(name, text));
      count++;
      return sealed;
    } catch (error) {
      faults.push(`${place} ${error instanceof Error ? error.message : 'cannot be decrypted'}`);
      return text;
    }
  };
  for (const { kind, begins, fields: secret } of sealedFields) {
    const names = new Set<string>();
    await store.scanNames(kind, '', (page) => {
      for (const name of page) if (begins.test(name)) names.add(name);
    });
    for (const name of names) {
      const record = await store.readRecord(kind, name);
      const fields = new Map(fieldsOf(record));
      const before = count;
      for (const field of secret) {
        const text = fields.get(field);
        if (text !== undefined) fields.set(field, resealed(`${kind}:${name}: ${field}`, `${kind}:${name}`, text));
      }
      if (count > before) await store.writeRecord(kind, name, [...fields].flat());
    }
  }
  const [tickets = ''] = (await store.readRecord('tickets', 'current')).values;
  const sealed = resealed('tickets:current', 'tickets:current', tickets);
  if (sealed !== tickets) await store.writeRecord('tickets', 'current', [sealed]);
  return { count, faults };
}
