// A schema for a field whose value is easier to read with a function than to describe in parts.
import * as z from 'zod';

/** Why a value cannot be taken, as what is allowed in its place. Never holds the value itself, which may be a secret. */
export class Disallowed {
  readonly allowed: string;

  constructor(allowed: string) {
    this.allowed = allowed;
  }
}

/**
 * An optional field.
 * @param parse takes the value as it was written; what it gives must not be changed by anybody
 */
export function parsedBy<T>(parse: (written: unknown) => T | Disallowed) {
  return z
    .unknown()
    .transform((written, context): T | undefined => {
      if (written === undefined) return undefined;
      const value = parse(written);
      if (!(value instanceof Disallowed)) return value;
      context.addIssue({ code: 'custom', message: value.allowed });
      return z.NEVER;
    })
    .optional();
}

/** Whether a value of a JSON document is an object, whose members can then be looked at. */
export function isObject(written: unknown): written is Record<string, unknown> {
  return typeof written === 'object' && written !== null && !Array.isArray(written);
}
