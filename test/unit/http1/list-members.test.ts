// Comma lists.
import { describe, expect, it } from 'vitest';
import { listMembers } from '../../../src/http1/list-members.js';

describe('listMembers', () => {
  it.each([
    ['a', ['a']],
    ['A, B\t,\t c ', ['a', 'b', 'c']],
    ['', ['']],
    [' , ', ['', '']],
    ['a b,c', ['a b', 'c']],
    ['close\xa0,\xa0x', ['close\xa0', '\xa0x']],
  ])('splits %j', (value, members) => {
    expect(listMembers(value)).toEqual(members);
  });
});
