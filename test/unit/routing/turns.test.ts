import { describe, expect, it } from 'vitest';
import { createRoundRobin } from '../../../src/balancing/round-robin.js';
import type { Route } from '../../../src/model/frontend.js';
import { compileRoute } from '../../../src/routing/compile-route.js';
import { prefixKey } from '../../../src/routing/kept-answers.js';
import { Turns } from '../../../src/routing/turns.js';
import { recordOf } from '../../helpers/controlled-store.js';

describe('the turn of a route', () => {
  const balancer = createRoundRobin();
  const list = ['id', 'http://10.0.0.1:80', 'http://10.0.0.2:80'];
  const compile = (turns: Turns, frontend: string, key: string, before?: Route): Route =>
    compileRoute('a.example', [recordOf(frontend, list)], turns.of(key, frontend, before)).route;
  const next = (route: Route) => balancer.pick(route.backends, route, '', null)?.index;

  it('goes on where it was when the route is compiled anew', () => {
    const turns = new Turns();
    const first = compile(turns, 'a.example', 'a.example');
    expect(next(first)).toBe(0);
    const anew = compile(turns, 'a.example', 'a.example', first);
    expect(next(anew)).toBe(1);
    expect(next(compile(turns, 'a.example', 'a.example', anew))).toBe(0);
  });

  it('is one for all hosts of a wildcard, each of which may be asked for once', () => {
    const turns = new Turns();
    const picked = [1, 2, 3, 4].map((host) => next(compile(turns, '*.example', `h${host}.example`)));
    expect(picked).toEqual([0, 1, 0, 1]);
  });

  it.each(['a.example', '*.example'])('is one for all ports of a host that nobody wrote, of %s', (frontend) => {
    const turns = new Turns();
    const picked = [1, 2, 3].map((port) => next(compile(turns, frontend, `a.example:${port}`)));
    expect(picked).toEqual([0, 1, 0]);
  });

  it('is not that of the frontend that served the host before', () => {
    const turns = new Turns();
    const wild = compile(turns, '*.example', 'a.example');
    next(wild);
    expect(next(compile(turns, 'a.example', 'a.example', wild))).toBe(0);
  });

  it.each([
    ['hosts', '', (at: number) => `${at}.example`],
    ['hosts by TLS', '', (at: number) => `https ${at}.example`],
    ['path prefixes', '/api', (at: number) => prefixKey(`${at}.example`, `${at}.example/api`)],
  ])('is kept of each of 30,000 %s that are asked for one after the other', (_what, path, key) => {
    const turns = new Turns();
    const routes = Array.from({ length: 30_000 }, (_, at) => compile(turns, `${at}.example${path}`, key(at)));
    for (const expected of [0, 1, 0]) for (const route of routes) if (next(route) !== expected) throw new Error(route.frontend);
  });
});
