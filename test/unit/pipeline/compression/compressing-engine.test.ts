import { describe, expect, it } from 'vitest';
import type { AttemptReport, Engine } from '../../../../src/engine/engine.js';
import type { Downstream } from '../../../../src/exchange/downstream.js';
import { Exchange } from '../../../../src/exchange/exchange.js';
import { RequestBody } from '../../../../src/exchange/request-body.js';
import { headerListFromPairs } from '../../../../src/http1/header-pairs.js';
import { type ResponseHead, untilClose } from '../../../../src/http1/message.js';
import type { Backend } from '../../../../src/model/backend.js';
import type { Route } from '../../../../src/model/frontend.js';
import { parsePolicy } from '../../../../src/model/policy/policy.js';
import { CompressingEngine } from '../../../../src/pipeline/compression/compressing-engine.js';

const backend = { origin: 'http://127.0.0.1:1' } as Backend;

const answer: ResponseHead = {
  status: 200,
  line: 'HTTP/1.1 200 OK\r\n',
  reason: 'OK',
  minor: 1,
  headers: headerListFromPairs(['Content-Type', 'text/plain']),
  body: untilClose,
  keepAlive: true,
  upgrade: '',
  connectionNames: null,
};

class Port implements Downstream {
  begun = false;
  bytesSent = 0;
  bodyBytesSent = 0;
  interim(): void {}
  begin(): boolean {
    this.begun = true;
    return true;
  }
  write(): boolean {
    return true;
  }
  end(): void {}
  switchProtocols(): void {}
  cut(): void {}
  released(): void {}
}

function newExchange(compress: string | null): Exchange {
  const head = {
    method: 'GET',
    line: '',
    target: '/',
    minor: 1,
    authority: 'example.com',
    headers: headerListFromPairs(['Accept-Encoding', 'gzip']),
    body: 0,
    keepAlive: true,
    upgrade: '',
    expectsContinue: false,
    connectionNames: null,
  } as const;
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
  const body = new RequestBody(0, { pauseBody() {}, resumeBody() {} }, 0);
  const exchange = new Exchange(head, body, client, new Port(), 0);
  const policy = compress === null ? null : parsePolicy(['compress', compress]).policy;
  exchange.route = { frontend: 'example.com', policy } as Route;
  return exchange;
}

/** The report that the engine behind is given. */
function setUp(most?: number, answered: AttemptReport['answered'] = (_exchange, _backend, head) => head) {
  let given: AttemptReport | null = null;
  let closed = 0;
  const behind: Engine = {
    send: (_exchange, _backend, _fresh, report) => {
      given = report;
    },
    close: () => {
      closed++;
    },
  };
  const told: string[] = [];
  const report: AttemptReport = {
    answered,
    ended: () => void told.push('ended'),
    failed: (_exchange, _backend, error) => void told.push(error.code),
  };
  const engine = new CompressingEngine(behind, most);
  return {
    engine,
    report,
    told,
    closed: () => closed,
    send: (exchange: Exchange): AttemptReport => {
      engine.send(exchange, backend, false, report);
      return given!;
    },
  };
}

const saysVary = (head: ResponseHead | null) => head?.headers.values('vary').length === 1;

describe('an engine that compresses', () => {
  it('leaves attempts alone where nothing is to be compressed', () => {
    const { send, report, engine, closed } = setUp();
    expect(send(newExchange(null))).toBe(report);
    expect(send(newExchange('false'))).toBe(report);
    engine.close();
    expect(closed()).toBe(1);
  });

  it('compresses no more answers at a time than it may, and goes on when one has ended', () => {
    const { send } = setUp(2);
    const exchanges = Array.from({ length: 3 }, () => newExchange('true'));
    const ports = exchanges.map(({ downstream }) => downstream);
    const heads = exchanges.map((exchange) => send(exchange).answered(exchange, backend, answer));
    expect(exchanges.map(({ downstream }, at) => downstream === ports[at])).toEqual([false, false, true]);
    expect(heads.map(saysVary)).toEqual([false, false, true]);
    exchanges[0]!.end('client-gone');
    expect(exchanges[0]!.downstream).toBe(ports[0]);
    const next = newExchange('true');
    const port = next.downstream;
    send(next).answered(next, backend, answer);
    expect(next.downstream).not.toBe(port);
    for (const exchange of [exchanges[1]!, next]) exchange.end('client-gone');
  });

  it('stands aside for whoever answers something else', () => {
    const other = new Port();
    const { send } = setUp(undefined, (exchange, _backend, head) => {
      exchange.downstream = other;
      return head;
    });
    const exchange = newExchange('true');
    expect(send(exchange).answered(exchange, backend, answer)).toBe(answer);
    expect(exchange.downstream).toBe(other);
  });

  it('tells that the attempt ended when all of the answer has gone to the client', async () => {
    const { send, told } = setUp();
    const exchange = newExchange('true');
    const own = send(exchange);
    expect(own.answered(exchange, backend, answer)).toBe(answer);
    const { downstream } = exchange;
    const bytes = Buffer.from('text '.repeat(1000));
    downstream.begin(answer, '', bytes, 0, bytes.length, true);
    exchange.completedAt = 5;
    own.ended(exchange, backend);
    expect(told).toEqual([]);
    // The time at which the backend was ready is not that at which the answer was.
    expect(exchange.completedAt).toBe(0);
    await expect.poll(() => told).toEqual(['ended']);
    expect(exchange.downstream.begun).toBe(true);
  });
});
