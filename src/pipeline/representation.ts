// In which form a client wants to be told of an error: Accept (RFC 9110 section 12.5.1), read for the three forms there are.

import { isSameText } from '../base/same-text.js';

export type Representation = 'html' | 'json' | 'text';

const forms: Readonly<Record<string, Representation>> = {
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/json': 'json',
  'application/problem+json': 'json',
  'text/plain': 'text',
};

/**
 * The form with the highest weight, the first of equals. Ranges such as a wildcard ask for nothing in particular, so that
 * a client which accepts anything gets the page, as it always did; so does one whose header makes no sense.
 * @param accept value of Accept, or empty
 */
export function decideRepresentation(accept: string): Representation {
  if (accept === '') return 'html';
  // A flood of refusals goes to clients that ask alike.
  if (!isSameText(accept, last.accept)) last = { accept, form: decide(accept) };
  return last.form;
}

let last: { readonly accept: string; readonly form: Representation } = { accept: '', form: 'html' };

function decide(accept: string): Representation {
  let best: Representation = 'html';
  let bestWeight = 0;
  for (const item of accept.split(',')) {
    const [type = '', ...parameters] = item.split(';');
    const form = formOf(type.trim().toLowerCase());
    if (form === undefined) continue;
    const weight = weightOf(parameters);
    if (weight > bestWeight) {
      best = form;
      bestWeight = weight;
    }
  }
  return best;
}

/** Suffixed types, such as application/vnd.api+json, are JSON (RFC 6839 section 3.1). */
function formOf(type: string): Representation | undefined {
  if (Object.hasOwn(forms, type)) return forms[type];
  return type.startsWith('application/') && type.endsWith('+json') ? 'json' : undefined;
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(parameter.trim());
    if (match !== null) return Number(match[1]);
  }
  return 1;
}
