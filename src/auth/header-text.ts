// Names of people and values of claims as header values.
import type { Verdict } from './verdict.js';

/**
 * Visible ASCII stays as it is, but for `%`; everything else is percent-encoded as UTF-8. So nothing can end the line, and
 * no two names become one.
 */
export function headerText(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text) && text.trim() === text) return text;
  let encoded = '';
  for (const character of text) {
    encoded += /^[\x21-\x24\x26-\x7e]$/.test(character) ? character : percent(character);
  }
  return encoded;
}

function percent(character: string): string {
  let text = '';
  for (const byte of Buffer.from(character, 'utf8')) text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return text;
}

/** A pass that tells the backend who it is, where a header is set for it. */
export function passedAs(user: string, header: string | undefined): Verdict {
  return { kind: 'passed', headers: header === undefined || user === '' ? [] : [header, headerText(user)] };
}
