// Cases of the engine contract that have no meaning where HTTP/2 is spoken, on whichever side.
import type { Skip } from '../engine.contract.js';

/** Cases that are left out for one reason. */
export function because(reason: string, ...cases: readonly string[]): Skip[] {
  return cases.map((one) => ({ case: one, reason }));
}

/** On both sides. */
export const http2Skips: readonly Skip[] = [
  ...because(
    'names of HTTP/2 have no case, and lines of one name are one field (RFC 9113 section 8.2.1, RFC 9110 section 5.3)',
    'passes trailers of a chunked request on',
    'keeps order and case of request lines',
    'keeps the place of lines of one name among others',
    'keeps order, case and repetition of response lines',
  ),
  ...because('Cookie fields are joined into one (RFC 9113 section 8.2.3)', 'keeps several Cookie lines apart'),
  ...because(
    'HTTP/2 has no reason phrases (RFC 9113 section 8.3.2)',
    'passes the status 404 Nobody Knows (sorry) on',
    'passes the status 418 I am a teapot on',
    'errorPages leave answers of backends alone',
  ),
  ...because(
    'te may say nothing but trailers, and no field says anything about a connection (RFC 9113 section 8.2.2)',
    'tells a backend that trailers are welcome when the client says so',
  ),
  ...because('extended CONNECT is for WebSocket alone (RFC 8441)', 'tunnels any other protocol'),
];
