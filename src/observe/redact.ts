// Takes passwords out of what is about to be logged.

/** User and password of a URL. It begins at `://` and stops at the next slash, so a hostile text costs no more than a pass over it. */
const credentials = /:\/\/([^\s/?#@:]*):([^\s/?#]*)@/g;

const secretName = /pass(?:word|phrase|wd)?$|secret|token|authorization|api-?key|private-?key/i;
const mask = '***';
const deepest = 5;

/** Masks the password of each URL in a text: `redis://:pw@host` becomes `redis://:***@host`. */
export function redactText(text: string): string {
  return text.includes('://') ? text.replace(credentials, `://$1:${mask}@`) : text;
}

/**
 * A copy of a log field that may be written down: passwords masked, errors as plain objects with code and cause,
 * depth bounded.
 * @param name what the value is called; values with the name of a secret are masked whole
 */
export function redactValue(value: unknown, name = '', depth = 0): unknown {
  if (secretName.test(name) && value !== '' && value !== null && value !== undefined) return mask;
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= deepest) return '…';
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, '', depth + 1));
  return redactFields(value, depth + 1);
}

/** All fields of an object through `redactValue`. */
export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redactValue(value, name, depth)]));
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { type: error.name, message: redactText(error.message) };
  if ('code' in error) described.code = error.code;
  if (error.cause !== undefined) described.cause = redactValue(error.cause, '', depth + 1);
  if (error.stack !== undefined) described.stack = redactText(error.stack);
  return described;
}
