// Framing of request bodies towards a backend (RFC 9112 section 7.1).

/** Bodies up to this size are sent as one latin1 string together with their head: cheaper than a second write. */
export const inOneString = 16 * 1024;

/** Bodies up to this size are cheaper to copy into one string with the head than to write as bytes with the head put before them. */
export const shortBody = 1024;

/** A chunk of a text, one character a byte. An empty text is no chunk: that would end the body. */
export function framedChunk(text: string): string {
  return text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** The last chunk with trailer lines (each ended by CRLF, or empty). */
export function lastChunk(trailers: string): string {
  return `0\r\n${trailers}\r\n`;
}
