// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so variables are written in headers

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/exchange/exchange.js';
import { OutgoingChanges } from '../../../src/exchange/outgoing-changes.js';
import { RequestBody } from '../../../src/exchange/request-body.js';
import { noHeaders } from '../../../src/http1/headers.js';
import { parseBackends } from '../../../src/model/parse-backends.js';
import { Disallowed } from '../../../src/model/policy/parsed-by.js';
import { parseTemplate, variableNames } from '../../../src/model/policy/template.js';
import { Turn } from '../../../src/model/turn.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';
import { filledIn, hostOf } from '../../../src/pipeline/header-rules.js';

const downstream = {
  begun: false,
  bytesSent: 0,
  bodyBytesSent: 0,
  interim() {},
  begin: () => true,
  write: () => true,
  end() {},
  switchProtocols() {},
  cut() {},
  released() {},
};
const [backend = null] = parseBackends(['http://10.0.0.1:80']).backends;

function exchangeOf(fields: { target: string; authority: string; method: string; id: string; frontend: string }): Exchange {
  const { target, authority, method } = fields;
  const head = {
    method,
    line: '',
    target,
    minor: 1 as const,
    authority,
    headers: noHeaders,
    body: 0,
    keepAlive: true,
    upgrade: '',
    expectsContinue: false,
    connectionNames: null,
  };
  const client = {
    address: '127.0.0.1',
    trusted: false,
    secure: false,
    localPort: 80,
    ends: {},
    episode: 0,
    http2: false,
    lastAuthority: '',
    shown: { text: '', digest: '' },
    tls: null,
    forwardedStart: '',
  };
  const exchange = new Exchange(head, new RequestBody(0, { pauseBody() {}, resumeBody() {} }, 0), client, downstream, 0);
  exchange.id = fields.id;
  exchange.clientAddress = '127.0.0.1';
  exchange.route = {
    host: authority,
    frontend: fields.frontend,
    identifier: '',
    backends: [],
    policy: null,
    even: true,
    records: [],
    unmarked: true,
    fault: '',
    counts: new RouteCounts(),
    turn: new Turn(),
  };
  return exchange;
}

/** What a field value may consist of (RFC 9110 section 5.5), one character a byte. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

describe('variables in headers', () => {
  it('never let a value end its line, whatever they stand for', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 20 });
    const literal = fc.string({ unit: fc.constantFrom('a', '$', '{', '}', '\r', '\n', '\0', 'é', '€', ' ', '\t'), maxLength: 6 });
    const variable = fc.constantFrom(...variableNames).map((name) => `\${${name}}`);
    const text = fc.array(fc.oneof(literal, variable), { maxLength: 6 }).map((parts) => parts.join(''));
    // What the stage `identify` takes for an id, or makes itself.
    const id = fc.stringMatching(/^[\w.:/+=@-]{1,20}$/);
    const request = fc.record({ target: anything, authority: anything, method: anything, id, frontend: anything });
    let filled = 0;
    fc.assert(
      fc.property(text, request, (written, fields) => {
        const template = parseTemplate(written);
        if (template instanceof Disallowed) {
          expect(template.allowed).not.toMatch(/[\r\n\0]/);
          return;
        }
        expect(written).not.toMatch(/[\r\n\0]/);
        filled++;
        expect(filledIn(template, exchangeOf(fields), backend)).toMatch(fieldValue);
      }),
      { numRuns: 2000 },
    );
    expect(filled).toBeGreaterThan(500);
  });

  it('write out what cannot stand in a header in percent', () => {
    const template = parseTemplate('<${frontend}>');
    if (template instanceof Disallowed) throw new Error(template.allowed);
    const exchange = exchangeOf({ target: '/', authority: '', method: 'GET', id: '', frontend: 'a\r\nX: €\t' });
    expect(filledIn(template, exchange, null)).toBe('<a%0D%0AX: %E2%82%AC%09>');
  });

  it('tell a host from its port', () => {
    const hosts = ['example.com:80', 'example.com', '[::1]:80', '[::1]', ''].map(hostOf);
    expect(hosts).toEqual(['example.com', 'example.com', '[::1]', '[::1]', '']);
  });
});

describe('changes of an outgoing head', () => {
  it('let the later of two changes of one name win, and leave other names alone', () => {
    const changes = new OutgoingChanges();
    changes.set('X-A', '1');
    changes.set('X-B', '2');
    changes.add('x-a', '3');
    expect(changes.lines).toBe('X-A: 1\r\nX-B: 2\r\nx-a: 3\r\n');
    changes.set('X-a', '4');
    expect(changes.lines).toBe('X-B: 2\r\nX-a: 4\r\n');
    changes.remove('X-B');
    expect(changes.lines).toBe('X-a: 4\r\n');
    expect([...changes.removed].sort()).toEqual(['x-a', 'x-b']);
  });
});
