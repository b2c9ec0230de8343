import { expect, it } from 'vitest';
import { decideRepresentation } from '../../../src/pipeline/representation.js';

it.each([
  ['', 'html'],
  ['*/*', 'html'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
  ['application/json', 'json'],
  ['application/json, text/plain, */*', 'json'],
  ['APPLICATION/JSON', 'json'],
  ['application/vnd.api+json', 'json'],
  ['application/problem+json;q=0.5, */*', 'json'],
  ['text/html, application/json', 'html'],
  ['application/json;q=0.9, text/html', 'html'],
  ['text/html;q=0.2, application/json;q=0.9', 'json'],
  ['application/json;q=0', 'html'],
  ['application/json;charset=utf-8;q=0.3, text/html;q=0.2', 'json'],
  ['text/plain', 'text'],
  ['image/png', 'html'],
  ['application/json;q=nonsense', 'json'],
  [';;,,=;q=', 'html'],
  ['constructor', 'html'],
])('a client that sends Accept: %s is told in %s', (accept, form) => {
  expect(decideRepresentation(accept)).toBe(form);
});
