// Command lines that a person may copy into a shell.

/** A call of redis-cli. */
export function redis(...words: readonly string[]): string {
  return ['redis-cli', ...words.map(quoted)].join(' ');
}

/** A word of a command line, as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w.:/@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
