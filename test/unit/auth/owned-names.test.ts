import { expect, it } from 'vitest';
import { OwnedNames } from '../../../src/auth/owned-names.js';

it('D.5 22: knows a name in any case and with underscores, and no other', () => {
  const owned = new OwnedNames(['X-Remote-User', 'role_name']);
  const names = ['x-remote-user', 'X_REMOTE-USER', 'Role-Name', 'X-Remote-Users', 'Remote-User', 'X-Remote+User', ''];
  expect(names.map((name) => owned.has(name))).toEqual([true, true, true, false, false, false, false]);
  expect([owned.size, new OwnedNames([]).size]).toEqual([2, 0]);
});
