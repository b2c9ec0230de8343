import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../../src/errors/proxy-error.js';
import type { Downstream } from '../../../../src/exchange/downstream.js';
import { Exchange } from '../../../../src/exchange/exchange.js';
import { RequestBody } from '../../../../src/exchange/request-body.js';
import { headerListFromPairs } from '../../../../src/http1/header-pairs.js';
import { Kind } from '../../../../src/http1/headers.js';
import type { ResponseHead } from '../../../../src/http1/message.js';
import { createErrorBodies } from '../../../../src/pipeline/error-body.js';
import { createAnswer } from '../../../../src/pipeline/stages/answer.js';

/** A port that remembers what it was told. */
class Port implements Downstream {
  begun = false;
  bytesSent = 0;
  bodyBytesSent = 0;
  head: ResponseHead | null = null;
  extra = '';
  body = '';
  last = false;
  cuts = 0;
  releases = 0;

  interim(): void {}
  begin(head: ResponseHead, extra: string, buffer: Buffer, start: number, end: number, last: boolean): boolean {
    this.begun = true;
    this.head = head;
    this.extra = extra;
    this.body = buffer.toString('utf8', start, end);
    this.last = last;
    return true;
  }
  write(): boolean {
    return true;
  }
  end(): void {}
  switchProtocols(): void {}
  cut(): void {
    this.cuts++;
  }
  released(): void {
    this.releases++;
  }

  /** Values of a header, by name. */
  values(name: string): string[] {
    return this.head?.headers.values(name) ?? [];
  }
}

const page = Buffer.from('<h1>é</h1>');

function setUp(options: { method?: string; accept?: string; page?: Buffer | null } = {}) {
  const { method = 'GET', accept = '' } = options;
  const pages = { page: () => (options.page === undefined ? page : options.page) };
  const debugged: string[] = [];
  const answer = createAnswer(createErrorBodies(pages), {
    answered: (exchange, message) => {
      debugged.push(message);
      exchange.responseLines += 'x-debug-error: it\r\n';
    },
  });
  const head = {
    method,
    line: '',
    target: '/',
    minor: 1,
    authority: 'example.com',
    headers: headerListFromPairs(accept === '' ? [] : ['Accept', accept]),
    body: 0,
    keepAlive: true,
    upgrade: '',
    expectsContinue: false,
    connectionNames: null,
  } as const;
  const port = new Port();
  const body = new RequestBody(0, { pauseBody() {}, resumeBody() {} }, 0);
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
  const exchange = new Exchange(head, body, client, port, 0);
  exchange.id = 'request-1';
  return { answer, exchange, port, debugged };
}

describe('an error before the response', () => {
  it('becomes a page with the headers of Hipache and the code', () => {
    const { answer, exchange, port } = setUp();
    answer(exchange, new ProxyError('unknown-frontend', 'secret detail'));
    expect(port.head).toMatchObject({ status: 400, reason: 'Bad Request', body: page.length });
    expect(port.body).toBe('<h1>é</h1>');
    expect(port.last).toBe(true);
    expect(port.values('content-type')).toEqual(['text/html']);
    expect(port.values('content-length')).toEqual([String(page.length)]);
    expect(port.values('x-cjs-proxy-error')).toEqual(['unknown-frontend']);
    expect(port.values('cache-control')).toEqual(['no-cache']);
    expect(port.values('pragma')).toEqual(['no-cache']);
    expect(port.values('expires')).toEqual(['-1']);
    expect(Date.parse(port.head!.headers.first(Kind.date))).not.toBeNaN();
    expect(port.values('retry-after')).toEqual([]);
    expect(exchange).toMatchObject({ status: 400, outcome: 'answered' });
    expect(exchange.error?.code).toBe('unknown-frontend');
    expect(port.releases).toBe(1);
  });

  it('is JSON for a client that asks for it, with nothing but public words', () => {
    const { answer, exchange, port } = setUp({ accept: 'application/json' });
    answer(exchange, new ProxyError('backend-refused', 'http://10.0.0.1:80: ECONNREFUSED'));
    expect(port.values('content-type')).toEqual(['application/json']);
    expect(JSON.parse(port.body)).toEqual({
      error: {
        code: 'backend-refused',
        status: 502,
        source: 'backend',
        message: 'The application refused the connection.',
        requestId: 'request-1',
      },
    });
  });

  it.each([{ accept: 'text/plain' }, { page: null }])('is plain text where there is no page or none is wanted: %j', (options) => {
    const { answer, exchange, port } = setUp(options);
    answer(exchange, new ProxyError('backend-timeout'));
    expect(port.values('content-type')).toEqual(['text/plain']);
    expect(port.body).toBe('The application did not answer in time.\n');
  });

  it('tells HEAD the length of the page, without the page', () => {
    const { answer, exchange, port } = setUp({ method: 'HEAD' });
    answer(exchange, new ProxyError('no-backend'));
    expect(port.values('content-length')).toEqual([String(page.length)]);
    expect(port.head?.body).toBe(0);
    expect(port.body).toBe('');
    expect(port.last).toBe(true);
  });

  it('says with 503 when to come back', () => {
    const { answer, exchange, port } = setUp();
    answer(exchange, new ProxyError('store-away'));
    expect(port.values('retry-after')).toEqual(['5']);
  });

  it.each([
    ['no-host', 'no host header'],
    ['unknown-frontend', 'frontend not found'],
    ['no-backend', 'Cannot find a valid backend'],
    ['bad-frontend-record', 'backend is invalid'],
    ['backend-refused', 'The application refused the connection.'],
  ] as const)('%s is debugged as "%s", beside other lines to add', (code, message) => {
    const { answer, exchange, port, debugged } = setUp();
    exchange.responseLines = 'x-request-id: 1\r\n';
    answer(exchange, new ProxyError(code));
    expect(debugged).toEqual([message]);
    expect(port.extra).toBe('x-request-id: 1\r\nx-debug-error: it\r\n');
  });
});

describe('nothing is sent', () => {
  it('into a response that has begun: the connection is cut', () => {
    const { answer, exchange, port } = setUp();
    port.begun = true;
    exchange.status = 200;
    answer(exchange, new ProxyError('backend-cut-body'));
    expect(port).toMatchObject({ cuts: 1, head: null, releases: 1 });
    expect(exchange).toMatchObject({ status: 200, outcome: 'cut' });
    expect(exchange.error?.code).toBe('backend-cut-body');
  });

  it('to a client that is gone', () => {
    const { answer, exchange, port } = setUp();
    answer(exchange, new ProxyError('client-gone'));
    expect(port).toMatchObject({ cuts: 1, head: null });
    expect(exchange).toMatchObject({ status: 499, outcome: 'client-gone' });
  });

  it('for an exchange that has ended', () => {
    const { answer, exchange, port } = setUp();
    exchange.end('forwarded');
    answer(exchange, new ProxyError('internal'));
    expect(port).toMatchObject({ cuts: 0, head: null, releases: 1 });
    expect(exchange.error).toBeNull();
  });
});

describe('an answer of the proxy', () => {
  it('is sent as the stage made it', () => {
    const { answer, exchange, port, debugged } = setUp();
    answer(exchange, { status: 200, contentType: 'text/plain', body: 'ok' });
    expect(port.head?.status).toBe(200);
    expect(port.body).toBe('ok');
    expect(port.values('content-length')).toEqual(['2']);
    expect(port.values('cache-control')).toEqual(['no-cache']);
    expect(port.values('x-cjs-proxy-error')).toEqual([]);
    expect(exchange.error).toBeNull();
    expect(debugged).toEqual(['ok']);
  });

  it('may say itself how long it may be kept', () => {
    const { answer, exchange, port } = setUp();
    answer(exchange, {
      status: 301,
      contentType: 'text/plain',
      body: '',
      headers: ['Location', '/x', 'Cache-Control', 'max-age=60'],
    });
    expect(port.values('cache-control')).toEqual(['max-age=60']);
    expect(port.values('pragma')).toEqual([]);
    expect(port.values('location')).toEqual(['/x']);
  });

  it.each([204, 304])('%i has neither a body nor a length', (status) => {
    const { answer, exchange, port } = setUp();
    answer(exchange, { status, contentType: 'text/plain', body: '' });
    expect(port.values('content-length')).toEqual([]);
    expect(port.body).toBe('');
  });

  it('with a header that would split the response becomes an error of the proxy', () => {
    const { answer, exchange, port } = setUp();
    answer(exchange, { status: 302, contentType: 'text/plain', body: '', headers: ['Location', '/\r\nSet-Cookie: a=b'] });
    expect(port.head?.status).toBe(500);
    expect(port.values('set-cookie')).toEqual([]);
    expect(exchange.error?.code).toBe('internal');
  });
});
