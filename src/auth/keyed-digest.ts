// A keyed digest of a credential: SHA-256 of a secret block and the text, which is the inner hash of HMAC (RFC 2104).
//
// The outer hash of HMAC keeps those who see digests from making digests of longer texts. Nobody sees these: they are keys of maps in
// this process. It would double the time that each request takes which is answered from a cache.
import { hash } from 'node:crypto';

/** A block of SHA-256: with a key of this length no text can be confused with another one under the same key. */
const blockBytes = 64;

/**
 * @param key 64 ASCII characters that nobody else knows
 * @returns the digest of a text, 32 bytes as characters
 */
export function createKeyedDigest(key: string): (text: string) => string {
  if (key.length !== blockBytes || !/^[\x00-\x7f]*$/.test(key))
    throw new Error('the key of a digest must be 64 ASCII characters');
  return (text) => hash('sha256', key + text, 'binary');
}
