// The line that begins a chunk (RFC 9112 section 7.1).

/** The chunk-size line for a number of bytes, e.g. `1f` and CRLF. Size 0 begins the last chunk. */
export const chunkHead = (size: number): string => `${size.toString(16)}\r\n`;
