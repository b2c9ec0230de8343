// Policy: who may reach a frontend, by address and by credential.
import * as z from 'zod';
import { type AddressSet, createAddressSet, parseRange } from '../../base/ip.js';
import { tokenText } from '../auth-values.js';
import { guarding, jsonField, textField } from './field.js';

const rangesAllowed = 'a list of at least one address or range, such as "10.0.0.0/8"';

/** Addresses and ranges as they were written, and the question whether an address is among them. */
export interface AddressRules extends AddressSet {
  readonly entries: readonly string[];
}

/** Most addresses of which the answer is remembered. */
const mostRemembered = 1_000;

/** Asking the set takes a microsecond, and a client asks again and again. */
function remembered(set: AddressSet): (address: string) => boolean {
  const answers = new Map<string, boolean>();
  return (address) => {
    const known = answers.get(address);
    if (known !== undefined) return known;
    if (answers.size >= mostRemembered) answers.clear();
    const held = set.has(address);
    answers.set(address, held);
    return held;
  };
}

/** A JSON list, or a text with commas or blanks between the entries. An empty list is a mistake: it would mean nobody, or everybody. */
const addressRules = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.split(/[\s,]+/).filter((entry) => entry !== '') : value),
    z
      .array(
        z.string({ error: rangesAllowed }).refine((text) => parseRange(text.trim()) !== null, { error: rangesAllowed }),
        { error: rangesAllowed },
      )
      .min(1, rangesAllowed),
  )
  .transform((entries): AddressRules => {
    return Object.freeze({ entries: Object.freeze(entries), has: remembered(createAddressSet(entries)) });
  });

export const accessFields = {
  /** Name of the record `auth:<name>`, or of a function given to the library. */
  authProvider: guarding(textField(tokenText.optional())),
  /** Only these clients are served; absent: all. */
  allow: guarding(jsonField(addressRules.optional())),
  /** These are not, whatever `allow` says. */
  deny: guarding(jsonField(addressRules.optional())),
};
