import { expect, it } from 'vitest';
import { Accounts } from '../../../src/limits/accounts.js';

it('accounts of all tables together stay below the bound', () => {
  const accounts = new Accounts(100);
  const tables = [accounts.createTable(), accounts.createTable(), accounts.createTable()];
  for (let at = 0; at < 10_000; at++) {
    tables[at % 3]?.of(`client-${at}`);
    expect(accounts.size).toBeLessThanOrEqual(100);
  }
  expect(accounts.size).toBeGreaterThanOrEqual(50);
});

it('who comes again and again is kept, whatever number of others comes once', () => {
  const table = new Accounts(100).createTable();
  const regular = table.of('regular');
  const once = table.of('once');
  for (let at = 0; at < 10_000; at++) {
    table.of(`flood-${at}`);
    if (at % 20 === 0) expect(table.of('regular')).toBe(regular);
  }
  expect(table.of('once')).not.toBe(once);
});

it('a table that is dropped is not kept', () => {
  const accounts = new Accounts(100);
  const table = accounts.createTable();
  for (let at = 0; at < 30; at++) table.of(`client-${at}`);
  accounts.drop(table);
  expect(accounts.size).toBe(0);
});
