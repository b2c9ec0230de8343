import { describe, expect, it } from 'vitest';
import { StickyTokens } from '../../../src/balancing/sticky.js';
import { backends, backendsWith, routeOf } from './backends.js';

const list = backends(5);
const route = routeOf(list);
const secret = 'a secret of sixteen or more';

describe('the token of a sticky cookie', () => {
  it('names its backend on every node that has the secret', () => {
    const [here, there] = [new StickyTokens(secret), new StickyTokens(secret)];
    for (const backend of list) expect(there.owner(route, here.tokenOf(route, backend))).toBe(backend);
  });

  it('names the backend, not its index: it holds when the list shifts', () => {
    const tokens = new StickyTokens(secret);
    const token = tokens.tokenOf(route, list[3]!);
    const shifted = routeOf(list.slice(2).map((backend, index) => ({ ...backend, index })));
    expect(tokens.owner(shifted, token)?.id).toBe(list[3]!.id);
  });

  it('names nobody when its backend left the list, and the same one when it is back', () => {
    const tokens = new StickyTokens(secret);
    const token = tokens.tokenOf(route, list[0]!);
    expect(tokens.owner(routeOf(list.slice(1)), token)).toBeNull();
    expect(tokens.owner(routeOf(backends(5)), token)?.id).toBe(list[0]!.id);
  });

  it('says nothing about the backend, and is fit for a cookie', () => {
    const named = backendsWith(['id=internal-7']);
    const token = new StickyTokens(secret).tokenOf(routeOf(named), named[0]!);
    expect(token).toMatch(/^[\w-]{22}$/);
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('internal');
  });

  it('is another one with another secret, for another frontend, for another backend', () => {
    const tokens = new StickyTokens(secret);
    const all = [
      tokens.tokenOf(route, list[0]!),
      tokens.tokenOf(route, list[1]!),
      tokens.tokenOf(routeOf(list, null, 'other.example.com'), list[0]!),
      new StickyTokens(`${secret}!`).tokenOf(route, list[0]!),
      new StickyTokens('').tokenOf(route, list[0]!),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('cannot be made by moving a letter from the frontend to the id', () => {
    const tokens = new StickyTokens(secret);
    const [one] = backendsWith(['id=bc']);
    const [other] = backendsWith(['id=c']);
    expect(tokens.tokenOf(routeOf([one!], null, 'a'), one!)).not.toBe(tokens.tokenOf(routeOf([other!], null, 'ab'), other!));
  });

  it('that somebody made up names nobody', () => {
    const tokens = new StickyTokens(secret);
    const token = tokens.tokenOf(route, list[0]!);
    for (const made of ['', '0', list[0]!.id, token.slice(1), `${token}x`, token.toUpperCase(), '__proto__', 'constructor']) {
      expect(tokens.owner(route, made)).toBeNull();
    }
  });

  it('is there for the same nodes without a secret too', () => {
    expect(new StickyTokens('').tokenOf(route, list[0]!)).toBe(new StickyTokens('').tokenOf(route, list[0]!));
  });

  it('is made anew after many lists: what left is forgotten', () => {
    const tokens = new StickyTokens(secret);
    const token = tokens.tokenOf(route, list[0]!);
    for (let turn = 0; turn < 50; turn++) {
      const changing = routeOf(backendsWith([`id=turn-${turn}`]));
      expect(tokens.owner(changing, tokens.tokenOf(changing, changing.backends[0]!))).toBe(changing.backends[0]);
    }
    expect(tokens.owner(route, token)).toBe(list[0]);
  });
});
