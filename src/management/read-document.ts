// A document that is sent or kept in a file: JSON, or YAML without its traps.
import { parse } from 'yaml';
import { invalidBody } from './problem.js';

/** So many aliases may a document use, each of which multiplies what it is: none. */
const maxAliasCount = 0;

/**
 * @param text JSON is YAML
 * @throws Problem that says where it cannot be read
 */
export function readDocument(text: unknown): unknown {
  if (typeof text !== 'string' || text.trim() === '')
    throw invalidBody([{ pointer: '', detail: 'a document is needed, in JSON or YAML' }]);
  try {
    return parse(text, { maxAliasCount, uniqueKeys: true, schema: 'core', logLevel: 'silent' });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n', 1)[0] as string) : 'it is none';
    throw invalidBody([{ pointer: '', detail: `cannot be read: ${reason.slice(0, 200)}` }]);
  }
}
