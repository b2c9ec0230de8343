import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { collectAddresses } from '../../../src/base/ip.js';
import { ownText } from '../../../src/base/own-text.js';
import type { Exchange } from '../../../src/exchange/exchange.js';
import { parseRequestHead } from '../../../src/http1/request-head.js';
import { Accounts } from '../../../src/limits/accounts.js';
import { addressKey, KeyDigests } from '../../../src/limits/tier-key.js';
import { createIdentify } from '../../../src/pipeline/stages/identify.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const mebibyte = 1 << 20;

/** MiB of the heap that are still in use when all is done that `work` does; what it returns is kept until then. */
function kept(work: () => unknown): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const held = work();
  collectGarbage();
  const growth = (process.memoryUsage().heapUsed - before) / mebibyte;
  expect(held).toBeDefined();
  return growth;
}

const heads = 5_000;
const filling = 'x'.repeat(8_000);
const limits = { maxHeadBytes: 16_384, maxHeaderCount: 100, maxLineBytes: 9_000 };

function headWith(line: string) {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${line}\r\nX-Filling: ${filling}\r\n\r\n`);
  const head = parseRequestHead(bytes, 0, bytes.length, limits);
  if (head === null || head instanceof Error) throw new Error('the head was not understood');
  return head;
}

it.each(['', 'short', 'longer than thirteen', 'ünï ☃ 𝄞', '\ud800 alone'])('%j comes back as it was', (text) => {
  expect(ownText(text)).toBe(text);
});

it('takes no more memory than its letters', () => {
  const count = 50_000;
  const growth = kept(() => Array.from({ length: count }, (_, at) => ownText(`${filling}${at} of many`.slice(-20))));
  // A header of 16 bytes, 24 for the letters, and 8 in the array.
  expect((growth * mebibyte) / count).toBeLessThan(56);
});

describe('what is remembered of many requests', () => {
  it('would be 40 MiB with their heads', () => {
    expect(kept(() => Array.from({ length: heads }, (_, at) => headWith(`X-At: ${at}`).headers.text))).toBeGreaterThan(35);
  });

  it.each(['X-Forwarded-For', 'X-Real-IP'])('is no head where clients are counted by the address in %s', (name) => {
    const identify = createIdentify(collectAddresses(['127.0.0.1']).set, 'none', null);
    const growth = kept(() => {
      const table = new Accounts(2 * heads).createTable();
      for (let at = 0; at < heads; at++) {
        const address = `203.${100 + (at >> 12)}.${100 + ((at >> 6) & 63)}.${100 + (at & 63)}`;
        const client = { secure: false, address: '127.0.0.1', trusted: true, lastAuthority: '' };
        const exchange = { client, head: headWith(`${name}: ${address}`), clientAddress: '' } as unknown as Exchange;
        identify(exchange);
        expect(exchange.clientAddress).toBe(address);
        table.of(addressKey(exchange.clientAddress));
      }
      expect(table.size).toBe(heads);
      return table;
    });
    expect(growth).toBeLessThan(10);
  });

  it('is no head where they are counted by a key', () => {
    const growth = kept(() => {
      const digests = new KeyDigests();
      for (let at = 0; at < heads; at++) {
        const [key = ''] = headWith(`X-API-Key: made up by somebody ${at}`).headers.values('x-api-key');
        expect(digests.of(key)).toHaveLength(64);
      }
      return digests;
    });
    expect(growth).toBeLessThan(10);
  });
});
