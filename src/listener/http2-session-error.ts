// Faults of a client for which node:http2 ends a connection: by itself it says INTERNAL_ERROR for all of them, and closes before that is read.
import { constants, type ServerHttp2Session } from 'node:http2';

/** Errors of nghttp2 by their number, and the code that RFC 9113 section 7 has for them. */
const codes: Readonly<Record<number, number>> = {
  [-505]: constants.NGHTTP2_PROTOCOL_ERROR,
  [-510]: constants.NGHTTP2_STREAM_CLOSED,
  [-522]: constants.NGHTTP2_FRAME_SIZE_ERROR,
  [-523]: constants.NGHTTP2_COMPRESSION_ERROR,
  [-524]: constants.NGHTTP2_FLOW_CONTROL_ERROR,
  // More acknowledgements than the client takes.
  [-904]: constants.NGHTTP2_ENHANCE_YOUR_CALM,
};

/** What a foreign error may carry. */
interface SessionError extends Error {
  readonly code?: unknown;
  readonly errno?: unknown;
}

/**
 * Has `faulty` called, with a code for GOAWAY, where node:http2 would end a session for a fault of its client. Who is told ends the
 * session; all other ends go their way.
 */
export function onFaults(session: ServerHttp2Session, faulty: (code: number) => void): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error?: SessionError | null, code?: number) => {
    if (error === undefined || error === null) destroy();
    else if (code !== undefined) destroy(error, code);
    else if (error.code === 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES') faulty(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else if (error.code === 'ERR_HTTP2_ERROR') faulty(codes[Number(error.errno)] ?? constants.NGHTTP2_PROTOCOL_ERROR);
    else destroy(error);
  };
}
