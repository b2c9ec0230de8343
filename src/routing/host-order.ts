// Which frontend names are tried for a host, in what order: with port, exact, wildcards from the most to the least special, catch-all.

/** Labels after `*.`, as in Hipache; the exact host is looked up whatever its depth. */
const maxWildcardLabels = 5;

/**
 * The names to look up; the first that has a list wins. `a.b.c` with port 8080 gives `a.b.c:8080`, `a.b.c`, `*.b.c`, `*.c`, `*`.
 * @param host as `normaliseHost` gives it
 * @param port decimal digits, or empty
 */
export function lookupNames(host: string, port: string): string[] {
  const names = port === '' ? [host] : [`${host}:${port}`, host];
  // The dots of an address such as [::ffff:10.0.0.1] part no labels.
  const labels = host.startsWith('[') ? 1 : host.split('.').length;
  let rest = host;
  for (let count = labels - 1; count >= 1; count -= 1) {
    rest = rest.slice(rest.indexOf('.') + 1);
    if (count <= maxWildcardLabels) names.push(`*.${rest}`);
  }
  names.push('*');
  return names;
}
