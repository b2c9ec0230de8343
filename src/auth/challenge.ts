// Values of WWW-Authenticate (RFC 9110 section 11.6.1).

/** `Basic realm="…"` (RFC 7617); passwords are read as UTF-8. */
export function basicChallenge(realm: string): string {
  return `Basic realm=${quoted(realm)}, charset="UTF-8"`;
}

/** `Bearer realm="…"`, with the error of RFC 6750 section 3.1 where a token was shown. */
export function bearerChallenge(realm: string, error: '' | 'invalid_token' | 'insufficient_scope' = ''): string {
  return `Bearer realm=${quoted(realm)}${error === '' ? '' : `, error="${error}"`}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
