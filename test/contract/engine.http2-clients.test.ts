// The engine contract for clients that speak HTTP/2.
import { engineContract, type Skip } from './engine.contract.js';

const because = (reason: string, ...cases: readonly string[]): Skip[] => cases.map((one) => ({ case: one, reason }));

engineContract('clients over HTTP/2', {
  engine: 'wire',
  clients: 'http2',
  skip: [
    ...because(
      'names of HTTP/2 have no case, and lines of one name are one field (RFC 9113 section 8.2.1, RFC 9110 section 5.3)',
      'passes trailers of a chunked request on',
      'relays 103 with its lines before the answer',
      'keeps order and case of request lines',
      'keeps the place of lines of one name among others',
      'keeps order, case and repetition of response lines',
      'sets, adds and removes headers of an answer (D.2 9)',
    ),
    ...because('Cookie fields are joined into one (RFC 9113 section 8.2.3)', 'keeps several Cookie lines apart'),
    ...because(
      'HTTP/2 has no reason phrases (RFC 9113 section 8.3.2)',
      'passes the status 404 Nobody Knows (sorry) on',
      'passes the status 418 I am a teapot on',
      'errorPages leave answers of backends alone',
    ),
    ...because(
      'a stream is no HTTP/1.0',
      'serves an HTTP/1.0 request and asks the backend in HTTP/1.1',
      'gives an HTTP/1.0 client a body without chunks that ends with the connection',
      'keeps the connection of an HTTP/1.0 client that asks for it, when the length is known',
      'keeps interim responses from an HTTP/1.0 client',
    ),
    ...because(
      'no field says anything about a connection of HTTP/2 (RFC 9113 section 8.2.2)',
      'closes the connection of a client that asks for it',
      'relays the refusal of an expectation, without the body',
      'removes the request lines that Connection names, but none that a backend relies on',
      'refuses a body by its length before the client has sent it',
      'passes no upgrade to HTTP/2 on, and serves the request as it is',
    ),
    ...because('te may say nothing but trailers', 'tells a backend that trailers are welcome when the client says so'),
    ...because(
      'node:http2 takes a content-length among trailers for that of the body, and resets the stream',
      'drops trailers that must not be trailers, both ways',
    ),
    ...because(
      'data comes behind the fields, so that the backend was asked already',
      'refuses chunks that came with the head, and takes those that fit',
    ),
    ...because(
      'the handshake over HTTP/2 has no key (RFC 8441 section 5)',
      'passes the key of a handshake on, and what the backend makes of it',
    ),
    ...because('extended CONNECT is taken for WebSocket alone', 'tunnels any other protocol'),
  ],
});
