// The method of a request as a string; for the usual ones always the same string, which costs nothing and compares fast.

const usual = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'PROPFIND', 'REPORT'];

/** Usual methods by their length. */
const byLength: readonly (readonly string[])[] = Array.from({ length: 9 }, (_, length) =>
  usual.filter((method) => method.length === length),
);

/** The method in the bytes `start` to `end`. Methods are case-sensitive (RFC 9110 section 9.1). */
export function methodAt(buffer: Buffer, start: number, end: number): string {
  const candidates = byLength[end - start];
  if (candidates !== undefined) {
    for (const method of candidates) if (isExactly(buffer, start, method)) return method;
  }
  return buffer.toString('latin1', start, end);
}

function isExactly(buffer: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) if (buffer[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
