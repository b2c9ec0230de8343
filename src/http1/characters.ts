// Which bytes may stand where in a message head, as tables indexed by byte: one load a byte instead of comparisons.

/** Bytes that the parsers name. */
export const tab = 0x09;
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const space = 0x20;
export const colon = 0x3a;
export const del = 0x7f;

const table = (allowed: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0));

const isAlphanumeric = (byte: number): boolean => /^[0-9A-Za-z]$/.test(String.fromCharCode(byte));
const isOneOf = (byte: number, characters: string): boolean => characters.includes(String.fromCharCode(byte));
const isVisible = (byte: number): boolean => byte > space && byte < 0x7f;
const isObsText = (byte: number): boolean => byte >= 0x80;

/** Token bytes (RFC 9110 section 5.6.2): the byte in lower case, or 0 where it may not stand in a token. */
const tokens: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (!isAlphanumeric(byte) && !isOneOf(byte, "!#$%&'*+-.^_`|~")) return 0;
  return String.fromCharCode(byte).toLowerCase().charCodeAt(0);
});
export const tokenBytes = tokens;

/** Bytes of a field value (RFC 9110 section 5.5): visible, blank or obs-text. No other control bytes, so no CR, LF, NUL or DEL. */
export const fieldValueBytes: Uint8Array = table((byte) => isVisible(byte) || byte === space || byte === tab || isObsText(byte));

/**
 * Bytes of a request target. Wider than RFC 3986, as other servers are: clients send raw UTF-8 and characters such as `|`
 * in queries. Never a control byte, a blank or `#`, since no fragment is sent (RFC 9112 section 3.2).
 */
export const targetBytes: Uint8Array = table((byte) => (isVisible(byte) && byte !== 0x23) || isObsText(byte));

/**
 * Bytes of a reg-name (RFC 3986 section 3.2.2) but for `%`, which two digits must follow, and the comma, which is the mark
 * of several Host values joined into one.
 */
export const regNameBytes: Uint8Array = table((byte) => isAlphanumeric(byte) || isOneOf(byte, "-._~!$&'()*+;="));

/** Value of `hexDigits` for a byte that is no hexadecimal digit. */
export const noDigit = 0xff;

/** Value of a hexadecimal digit, or `noDigit`. */
export const hexDigits: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /^[0-9A-Fa-f]$/.test(character) ? Number.parseInt(character, 16) : noDigit;
});

/** Whether the bytes `from` to `to` are a word, in any case. `word` is a token in lower case. */
export function isWord(buffer: Buffer, from: number, to: number, word: string): boolean {
  if (to - from !== word.length) return false;
  for (let at = 0; at < word.length; at++) {
    if (tokens[buffer[from + at] as number] !== word.charCodeAt(at)) return false;
  }
  return true;
}
