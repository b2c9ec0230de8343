// Private keys at rest: what is kept in the store is encrypted with a secret that the store does not have.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StartError } from '../errors/start-error.js';

/** How an encrypted text begins; behind it: id of the secret, then nonce, tag and bytes in base64. */
const mark = 'enc:v1:';
const nonceSize = 12;
const tagSize = 16;

interface Secret {
  /** Eight hexadecimal digits of its hash: tells which secret a text needs without telling the secret. */
  readonly id: string;
  readonly bytes: Buffer;
}

/**
 * AES-256-GCM. Every secret opens what it has sealed, the first one seals: to replace a secret put the new one first, seal everything
 * again, then take the old one away. The name that a text is kept under is part of what is sealed, so that no text can be moved to
 * another name.
 */
export class KeyVault {
  readonly #secrets: readonly Secret[];

  /** @param secrets 32 bytes each, as base64 or hexadecimal text. @throws StartError for one that is not, without showing it */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map(readSecret);
  }

  /** Whether `seal` can seal: without a secret texts stay as they are. */
  get seals(): boolean {
    return this.#secrets.length > 0;
  }

  /** Whether a text is sealed with the first secret. */
  isCurrent(text: string): boolean {
    const secret = this.#secrets[0];
    return secret !== undefined && text.startsWith(`${mark}${secret.id}:`);
  }

  /** @param name e.g. `tls:example.com` */
  seal(name: string, text: string): string {
    const secret = this.#secrets[0];
    if (secret === undefined) return text;
    const nonce = randomBytes(nonceSize);
    const cipher = createCipheriv('aes-256-gcm', secret.bytes, nonce);
    cipher.setAAD(Buffer.from(name, 'utf8'));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return `${mark}${secret.id}:${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}`;
  }

  /**
   * Gives a text that is not sealed as it is.
   * @throws Error in one line, made to follow the name of a field
   */
  open(name: string, text: string): string {
    if (!text.startsWith(mark)) return text;
    const [id = '', encoded = ''] = text.slice(mark.length).trim().split(':');
    const secret = this.#secrets.find((one) => one.id === id);
    if (secret === undefined)
      throw new Error(`is encrypted with the secret ${printable(id)}, which is not among https.storeKeys or https.storeKeyFile`);
    const bytes = Buffer.from(encoded, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', secret.bytes, bytes.subarray(0, nonceSize), { authTagLength: tagSize });
      decipher.setAAD(Buffer.from(name, 'utf8'));
      decipher.setAuthTag(bytes.subarray(nonceSize, nonceSize + tagSize));
      return decipher.update(bytes.subarray(nonceSize + tagSize), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new Error('cannot be decrypted: it was changed, cut short, or sealed for another name');
    }
  }
}

/**
 * The vault of a configuration.
 * @param file a secret a line, or empty; they come after `secrets`
 * @throws StartError when the file cannot be read, or a secret is none
 */
export function openVault(secrets: readonly string[], file: string): KeyVault {
  if (file === '') return new KeyVault(secrets);
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    throw new StartError(`cannot read https.storeKeyFile: ${file} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return new KeyVault([...secrets, ...lines.filter((line) => line !== '' && !line.startsWith('#'))]);
}

function readSecret(text: string): Secret {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length !== 32)
    throw new StartError('https.storeKeys: each secret must be 32 bytes in base64 or hexadecimal (openssl rand -base64 32)');
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}

function printable(id: string): string {
  return /^[0-9a-f]{1,16}$/.test(id) ? id : 'of an unreadable name';
}
