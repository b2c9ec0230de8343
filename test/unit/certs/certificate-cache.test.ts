import { describe, expect, it } from 'vitest';
import { CertificateCache } from '../../../src/certs/certificate-cache.js';
import { KeyVault } from '../../../src/certs/key-vault.js';
import type { RecordKind, StoredRecord } from '../../../src/model/record-kind.js';
import { selfSigned } from '../../helpers/certs.js';

/** Records that count how often they are read. */
class Records {
  readonly values = new Map<string, readonly string[]>();
  readonly reads: string[] = [];
  away = false;

  async readRecord(_kind: RecordKind, name: string): Promise<StoredRecord> {
    this.reads.push(name);
    if (this.away) throw new Error('away');
    return { values: this.values.get(name) ?? [], fault: '' };
  }

  put(name: string): void {
    const { key, cert } = selfSigned(name);
    this.values.set(name, ['certificate', cert, 'key', key]);
  }
}

function cacheOf(store: Records, entries = 100): { readonly cache: CertificateCache; readonly lines: string[] } {
  const lines: string[] = [];
  const log = { warn: (text: string) => lines.push(text), error: (text: string) => lines.push(text) };
  return { cache: new CertificateCache({ store, vault: new KeyVault([]), log, entries }), lines };
}

describe('the certificates', () => {
  it('are read once, and answered at once from then on', async () => {
    const store = new Records();
    store.put('a.example.com');
    const { cache } = cacheOf(store);
    const found = await cache.find('a.example.com');
    expect(found?.name).toBe('a.example.com');
    expect(cache.find('a.example.com')).toBe(found);
    expect(store.reads).toEqual(['a.example.com', '*.example.com', '*']);
  });

  it('stay the same objects when they are read again unchanged, and are complained of once', async () => {
    const store = new Records();
    store.put('a.example.com');
    store.values.set('b.example.com', ['certificate', 'nonsense', 'key', 'nonsense']);
    const { cache, lines } = cacheOf(store);
    const found = await cache.find('a.example.com');
    await cache.find('b.example.com');
    cache.everythingChanged();
    expect(await cache.find('a.example.com')).toBe(found);
    await cache.find('b.example.com');
    expect(lines).toEqual([
      expect.stringMatching(/^tls:b\.example\.com: certificate holds no certificate in PEM form; the name is served as if/),
    ]);
  });

  it('are read again when they changed', async () => {
    const store = new Records();
    store.put('a.example.com');
    const { cache } = cacheOf(store);
    const found = await cache.find('a.example.com');
    store.put('a.example.com');
    cache.recordChanged('tls', 'a.example.com');
    expect(await cache.find('a.example.com')).not.toBe(found);
    store.values.clear();
    cache.recordChanged('tls', 'a.example.com');
    expect(await cache.find('a.example.com')).toBe(null);
  });

  it('are not forgotten for a flood of invented names', async () => {
    const store = new Records();
    store.put('a.example.com');
    const { cache } = cacheOf(store);
    const found = await cache.find('a.example.com');
    for (let at = 0; at < 3_000; at++) await cache.find(`x${at}.example.com`);
    expect(cache.find('a.example.com')).toBe(found);
  });

  it('are served as they last were while the store is away', async () => {
    const store = new Records();
    store.put('a.example.com');
    const { cache } = cacheOf(store);
    const found = await cache.find('a.example.com');
    store.away = true;
    cache.everythingChanged();
    expect(await cache.find('a.example.com')).toBe(found);
    expect(await cache.find('never.seen.example')).toBe(null);
  });
});
