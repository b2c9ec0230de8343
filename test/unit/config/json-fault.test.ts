import { describe, expect, test } from 'vitest';
import { findJsonFault } from '../../../src/config/json-fault.js';

describe('a JSON text', () => {
  test.each(['{}', ' {"a": [1, -2.5e3, true, false, null, "\\u00e9\\n"], "b": {"a": {}}} \n', '[]', '"x"', '{"a":[[],[{}]]}'])(
    '%s is sound',
    (text) => {
      expect(findJsonFault(text)).toBeNull();
      expect(() => JSON.parse(text)).not.toThrow();
    },
  );

  test.each([
    ['', 1, 1, 'the end of the file where a value is expected'],
    ['{\n  "a": 1,\n}', 3, 1, '"}" where a key in double quotes is expected'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, '"\\"" where a comma or } is expected'],
    ["{'a': 1}", 1, 2, '"\'" where a key in double quotes is expected'],
    ['{"a" 1}', 1, 6, '"1" where a colon is expected'],
    ['{"a": x}', 1, 7, '"x" where a value is expected'],
    ['{"a": [1, 2}', 1, 12, '"}" where a comma or ] is expected'],
    ['{"a": [1,]}', 1, 10, '"]" where a value is expected'],
    ['{"a": "b\n"}', 1, 7, 'a text that is not closed or holds a character that must be escaped'],
    ['{"a": 01}', 1, 8, '"1" where a comma or } is expected'],
    ['// comment\n{}', 1, 1, '"/" where a value is expected'],
    ['{}{}', 1, 3, 'nothing may follow the end of the object'],
    ['{"a": 1,', 1, 9, 'the end of the file where a key in double quotes is expected'],
  ])('%j is broken at line %i, column %i', (text, line, column, problem) => {
    expect(findJsonFault(text)).toEqual({ line, column, problem });
    expect(() => JSON.parse(text)).toThrow();
  });

  test('with a key given twice is refused, where JSON.parse would drop the first without a word', () => {
    expect(findJsonFault('{"server": {},\n "server": {}}')).toEqual({
      line: 2,
      column: 2,
      problem: 'the key "server" is given twice',
    });
    expect(findJsonFault('{"a": 1, "\\u0061": 2}')?.problem).toContain('given twice');
  });

  test('nested without end is refused rather than overflowing the stack', () => {
    expect(findJsonFault('['.repeat(100_000))?.problem).toContain('nested deeper');
  });
});
