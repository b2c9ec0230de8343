// Members of a record as people write them behind a command: `tier=premium`, `retries=3`, `headers={"X-Team": "shop"}`; `tier=` takes one away.
import { CommandError, exitCodes } from './command-error.js';

/**
 * @param words `NAME=VALUE`; a value that is JSON is taken as that, any other as text
 * @returns null for members that are taken away
 * @throws CommandError
 */
export function membersOf(words: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const parts = /^([A-Za-z][\w.-]*)=(.*)$/s.exec(word);
      if (parts === null) throw new CommandError(`${JSON.stringify(word)} is no NAME=VALUE`, exitCodes.usage);
      return [parts[1] as string, parsedValue(parts[2] as string)];
    }),
  );
}

function parsedValue(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A member for people: text as it is, anything else as JSON. */
export function memberText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
