// The backends of a frontend's list: every entry that can be understood, each with an id of its own.
import type { Backend } from './backend.js';
import { parseBackend } from './parse-backend.js';

/** What a list gives: its backends, and one line for each entry that is none. */
export interface ParsedBackends {
  readonly backends: readonly Backend[];
  readonly faults: readonly string[];
}

/**
 * Reads the entries after the identifier. An index counts all entries, also those that are faulty, because that is how
 * Hipache numbers them. Equal ids are told apart by their ordinal: `http://10.0.0.1:80`, then `http://10.0.0.1:80~2`.
 */
export function parseBackends(entries: readonly string[]): ParsedBackends {
  const backends: Backend[] = [];
  const faults: string[] = [];
  const seen = new Map<string, number>();
  entries.forEach((entry, index) => {
    const parsed = parseBackend(entry, index);
    if (parsed.kind === 'fault') {
      faults.push(`backend ${index} ${parsed.text}`);
      return;
    }
    const ordinal = (seen.get(parsed.backend.id) ?? 0) + 1;
    seen.set(parsed.backend.id, ordinal);
    backends.push(ordinal === 1 ? parsed.backend : parsed.backend.called(`${parsed.backend.id}~${ordinal}`));
  });
  // A list that was grown has room for more, which a hundred thousand of them need not have.
  return { backends: backends.slice(), faults };
}
