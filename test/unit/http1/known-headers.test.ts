// Names of headers to kinds.
import { describe, expect, it } from 'vitest';
import { Kind } from '../../../src/http1/headers.js';
import { kindOfName } from '../../../src/http1/known-headers.js';

const kindOf = (name: string): Kind => {
  const bytes = Buffer.from(`..${name}..`, 'latin1');
  return kindOfName(bytes, 2, 2 + name.length);
};

// One kind for each name, but for those of traces, which share theirs.
const known = [
  ...Object.entries(Kind)
    .filter(([key]) => key !== 'other' && key !== 'underscored' && key !== 'trace')
    .map(([key, kind]) => [key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), kind] as const),
  ['traceparent', Kind.trace] as const,
  ['tracestate', Kind.trace] as const,
];

describe('kindOfName', () => {
  it.each(known)('knows %s in any case', (name, kind) => {
    expect(kindOf(name)).toBe(kind);
    expect(kindOf(name.toUpperCase())).toBe(kind);
    expect(kindOf(name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()))).toBe(kind);
  });

  it.each(known.filter(([name]) => name.includes('-')))('calls %s with underscores underscored', (name) => {
    expect(kindOf(name.replaceAll('-', '_'))).toBe(Kind.underscored);
    expect(kindOf(name.replace('-', '_'))).toBe(Kind.underscored);
    expect(kindOf(name.replaceAll('-', '_').toUpperCase())).toBe(Kind.underscored);
  });

  it.each(known)('takes nothing that is only like %s', (name) => {
    expect(kindOf(`${name}s`)).toBe(Kind.other);
    expect(kindOf(`x${name}`)).toBe(Kind.other);
    expect(kindOf(name.slice(0, -1))).toBe(Kind.other);
    for (let at = 0; at < name.length; at++) {
      const changed = `${name.slice(0, at)}~${name.slice(at + 1)}`;
      expect(kindOf(changed), changed).toBe(Kind.other);
    }
  });

  it.each(['', 'a', 'te_', 'x-custom', 'x_custom', 'ho-st', 'ho_st'])('does not know %j', (name) => {
    expect(kindOf(name)).toBe(Kind.other);
  });
});
