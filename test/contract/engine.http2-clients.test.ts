// The engine contract for clients that speak HTTP/2.
import { because, http2Skips } from './engine/http2-skips.js';
import { engineContract } from './engine.contract.js';

engineContract('clients over HTTP/2', {
  engine: 'wire',
  clients: 'http2',
  skip: [
    ...http2Skips,
    ...because(
      'names of HTTP/2 have no case, and lines of one name are one field (RFC 9113 section 8.2.1, RFC 9110 section 5.3)',
      'relays 103 with its lines before the answer',
      'sets, adds and removes headers of an answer (D.2 9)',
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
  ],
});
