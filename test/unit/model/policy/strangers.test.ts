// Ids in a policy that no backend of the frontend has.
import { expect, it } from 'vitest';
import { parseBackends } from '../../../../src/model/parse-backends.js';
import { parsePolicy } from '../../../../src/model/policy/policy.js';
import { strangersIn } from '../../../../src/model/policy/strangers.js';

const { backends } = parseBackends(['http://10.0.0.1:80#id=one', 'http://10.0.0.2:80#id=two&group=new']);
const strangers = (field: string, value: unknown): string[] =>
  strangersIn(parsePolicy([field, JSON.stringify(value)]).policy, backends);

it('is silent about ids that there are', () => {
  expect(strangers('weights', { one: 1, two: 0 })).toEqual([]);
  expect(strangers('split', { groups: [{ name: 'old', backends: ['one'] }, { name: 'new' }] })).toEqual([]);
});

it('names ids of weights that there are not, and those that there are', () => {
  expect(strangers('weights', { one: 1, tow: 3 })).toEqual(['weights names "tow", which no backend has; allowed: "one", "two"']);
});

it('names ids of a split that there are not, and groups that nobody is in', () => {
  const groups = [{ name: 'old', backends: ['one', 'three'] }, { name: 'newer' }];
  expect(strangers('split', { groups })).toEqual([
    'split at groups.0.backends names "three", which no backend has; allowed: "one", "two"',
    'split at groups.1 has no backend: none has #group=newer, and it names none that there is',
  ]);
});

it('says nothing of a frontend without backends', () => {
  expect(strangersIn(parsePolicy(['weights', '{"a":1}']).policy, [])).toEqual([]);
});
