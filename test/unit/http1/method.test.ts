// Bytes to method names.
import { describe, expect, it } from 'vitest';
import { methodAt } from '../../../src/http1/method.js';

const methodOf = (text: string): string => methodAt(Buffer.from(`.${text} `), 1, 1 + text.length);

describe('methodAt', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'PROPFIND', 'REPORT', 'PURGE', 'X'])(
    'reads %s',
    (method) => {
      expect(methodOf(method)).toBe(method);
    },
  );

  it('keeps the case, since methods are case-sensitive (RFC 9110 section 9.1)', () => {
    expect(methodOf('get')).toBe('get');
    expect(methodOf('Post')).toBe('Post');
  });

  it('reads a long extension method', () => {
    expect(methodOf('VERSION-CONTROL-AND-MORE')).toBe('VERSION-CONTROL-AND-MORE');
  });
});
