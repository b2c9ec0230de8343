import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KeyVault, openVault } from '../../../src/certs/key-vault.js';
import { writeConfigFile } from '../../helpers/config-file.js';

const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];

describe('a vault', () => {
  it('opens what it sealed, and seals differently each time', () => {
    const vault = new KeyVault([one]);
    const sealed = vault.seal('tls:a', 'the key\n');
    expect(sealed).not.toContain('the key');
    expect(vault.seal('tls:a', 'the key\n')).not.toBe(sealed);
    expect(vault.open('tls:a', sealed)).toBe('the key\n');
    expect(vault.open('tls:a', `${sealed}\n`)).toBe('the key\n');
  });

  it('seals with its first secret and opens with each', () => {
    const [before, between, after] = [new KeyVault([one]), new KeyVault([two, one]), new KeyVault([two])];
    const old = before.seal('tls:a', 'key');
    expect(between.open('tls:a', old)).toBe('key');
    expect(after.open('tls:a', between.seal('tls:a', between.open('tls:a', old)))).toBe('key');
    expect(() => after.open('tls:a', old)).toThrow(/is encrypted with the secret [0-9a-f]{8}, which is not among/);
  });

  it('opens nothing that was changed or moved', () => {
    const vault = new KeyVault([one]);
    const sealed = vault.seal('tls:a', 'key');
    expect(() => vault.open('tls:b', sealed)).toThrow('cannot be decrypted');
    for (const at of [sealed.length - 2, sealed.length - 30, sealed.lastIndexOf(':') + 1]) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      expect(() => vault.open('tls:a', changed)).toThrow('cannot be decrypted');
    }
    for (const cut of ['enc:v1:', 'enc:v1:abc', sealed.slice(0, -20), sealed.slice(0, 20)])
      expect(() => vault.open('tls:a', cut)).toThrow(/^(?:is encrypted with|cannot be decrypted)/);
  });

  it('leaves clear texts alone', () => {
    expect(new KeyVault([one]).open('tls:a', '-----BEGIN')).toBe('-----BEGIN');
    expect(new KeyVault([]).seal('tls:a', '-----BEGIN')).toBe('-----BEGIN');
  });

  it('takes no secret of another length, and does not show it', () => {
    for (const secret of ['short', randomBytes(31).toString('base64'), randomBytes(33).toString('hex')]) {
      expect(() => new KeyVault([secret])).toThrow(/each secret must be 32 bytes/);
      expect(() => new KeyVault([secret])).not.toThrow(secret);
    }
  });

  it('reads a file with a secret a line', () => {
    const file = writeConfigFile(`# newest first\n${two}\n\n${one}\n`, 'secrets');
    const sealed = new KeyVault([one]).seal('tls:a', 'key');
    expect(openVault([], file).open('tls:a', sealed)).toBe('key');
    expect(() => openVault([], `${file}.missing`)).toThrow(/cannot read https.storeKeyFile: .*ENOENT/);
  });
});
