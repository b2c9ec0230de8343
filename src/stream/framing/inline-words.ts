// The words of a line that somebody types at Redis, quoted as in a shell.

/**
 * Parts a line as Redis does, without its line feed.
 * @returns null where Redis would refuse the line, or wait for ever: an open quotation, text right behind one, a zero byte
 */
export function inlineWords(line: string): string[] | null {
  if (line.includes('\0')) return null;
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at] as string)) at++;
    if (at >= line.length) return words;
    let word = '';
    while (at < line.length && !isSpace(line[at] as string)) {
      const character = line[at] as string;
      if (character !== '"' && character !== "'") {
        word += character;
        at++;
        continue;
      }
      const close = closingMark(line, at, character);
      if (close === -1 || (close + 1 < line.length && !isSpace(line[close + 1] as string))) return null;
      word += quoted(line.slice(at + 1, close), character);
      at = close + 1;
    }
    words.push(word);
  }
}

function closingMark(line: string, open: number, mark: string): number {
  for (let at = open + 1; at < line.length; at++) {
    if (line[at] === mark) return at;
    // In double marks a backslash takes any character with it, in single ones only the mark.
    if (line[at] === '\\' && (mark === '"' ? at + 1 < line.length : line[at + 1] === mark)) at++;
  }
  return -1;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** What stands between quotation marks, without its escapes: a command must not hide behind them. */
function quoted(text: string, mark: string): string {
  if (mark === "'") return text.replaceAll("\\'", "'");
  return text.replace(/\\(?:x([0-9a-f]{2})|([\s\S]))/gi, (_all, hex: string | undefined, character = '') =>
    hex === undefined ? (escapes[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** isspace(3). */
function isSpace(character: string): boolean {
  return character === ' ' || (character >= '\t' && character <= '\r');
}
