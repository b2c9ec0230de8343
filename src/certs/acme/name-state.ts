// What all nodes know of the certificate of one name, besides the certificate: `acme:name:<host>`. It lets another node go on where
// one stopped, and wait as long as that one would have.
import { fieldsOf } from '../../model/record-kind.js';
import type { Store } from '../../store/store.js';

export interface NameState {
  /** URL of the order that is under way; empty: there is none. */
  readonly order: string;
  /** The private key that its certificate is asked for with, as the vault keeps it; empty: it was not asked for yet. */
  readonly key: string;
  /** Failures in a row, what the last one was, and when the next attempt may be made, in milliseconds since the epoch. */
  readonly failures: number;
  readonly problem: string;
  readonly retryAt: number;
  /** A client asked for it, on behalf of which it is kept. */
  readonly onDemand: boolean;
}

export const freshState: NameState = Object.freeze({
  order: '',
  key: '',
  failures: 0,
  problem: '',
  retryAt: 0,
  onDemand: false,
});

/** Never rejects for what stands there: what cannot be understood counts as nothing. */
export async function readNameState(store: Pick<Store, 'readRecord'>, name: string): Promise<NameState> {
  const fields = fieldsOf(await store.readRecord('acme', `name:${name}`));
  const number = (field: string): number => {
    const value = Number(fields.get(field) ?? 0);
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  return {
    order: fields.get('order') ?? '',
    key: fields.get('key') ?? '',
    failures: number('failures'),
    problem: fields.get('problem') ?? '',
    retryAt: number('retryAt'),
    onDemand: fields.get('onDemand') === 'true',
  };
}

export function writeNameState(store: Pick<Store, 'writeRecord'>, name: string, state: NameState): Promise<void> {
  const fields = Object.entries(state).flatMap(([field, value]) => [field, String(value)]);
  return store.writeRecord('acme', `name:${name}`, fields);
}
