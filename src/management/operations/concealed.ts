// What the history and the answers of the management do not tell: private keys, and what passwords are checked against.
import { createHash } from 'node:crypto';
import type { RecordAddress } from '../../store/change.js';

/** How a concealed value begins; behind it the digest of what it stands for. */
const mark = 'sha256:';
/** How sealed private keys begin: they may be kept, since only who has the secret can use them. */
const sealed = 'enc:v1:';

/** What answers have in place of a secret; sent back it means: as it is. */
export const redacted = '[redacted]';

/** Whether a field of a record holds a secret. */
function isSecret({ kind }: Pick<RecordAddress, 'kind'>, field: string): boolean {
  switch (kind) {
    case 'tls':
      return field === 'key' || field === 'key2';
    case 'auth':
      return field.startsWith('user:');
    default:
      return false;
  }
}

/** A record as the history keeps it. */
export function concealed(address: RecordAddress, values: readonly string[]): readonly string[] {
  if (address.kind !== 'tls' && address.kind !== 'auth') return values;
  return values.map((text, at) => {
    if (at % 2 === 0 || !isSecret(address, values[at - 1] as string) || text.startsWith(sealed)) return text;
    return mark + createHash('sha256').update(text).digest('hex');
  });
}

/**
 * A record of the history as it was, with the secrets of the record that is there now where they are the same.
 * @returns null when a secret of it is nowhere any more
 */
export function revealed(address: RecordAddress, kept: readonly string[], present: readonly string[]): readonly string[] | null {
  const whole: string[] = [];
  for (const [at, text] of kept.entries()) {
    if (at % 2 === 0 || !isSecret(address, kept[at - 1] as string) || !text.startsWith(mark)) {
      whole.push(text);
      continue;
    }
    const held = present.find((_value, place) => place % 2 === 1 && concealed(address, present)[place] === text);
    if (held === undefined) return null;
    whole.push(held);
  }
  return whole;
}
