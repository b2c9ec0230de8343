import { expect, test } from 'vitest';
import { nearestName } from '../../../src/config/nearest.js';

const known = ['workers', 'maxSockets', 'tcpTimeout', 'deadOn500', 'deadOn503'];

test.each([
  ['worker', 'workers'],
  ['wrokers', 'workers'],
  ['MAXSOCKETS', 'maxSockets'],
  ['tcp_timeout', 'tcpTimeout'],
  ['deadOn501', 'deadOn500'],
])('%s was probably meant to be %s', (written, meant) => {
  expect(nearestName(written, known)).toBe(meant);
});

test('a name that resembles nothing gets no suggestion', () => {
  expect(nearestName('colour', known)).toBeUndefined();
});
