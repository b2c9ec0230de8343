// What an error of Redis or of its connection means: whether a person must mend something, and one line that says so.
import { StartError } from '../errors/start-error.js';

const settingsErrors: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS|invalid password/i, 'refuses the user or password; check "driver"'],
  [/^NOAUTH/, 'asks for a password; put it into "driver": redis://user:password@host:port'],
  [
    /^NOPERM/,
    'does not allow this user what the proxy needs: +multi +exec +lrange +sscan +hscan +pttl on frontend:* dead:* health:* route:*',
  ],
  [/DB index is out of range|invalid DB index/i, 'has no database of that number; check "driver"'],
];

const settingsCodes: Readonly<Record<string, string>> = {
  EACCES: 'is a socket that this user may not open; check its permissions',
  EPROTO: 'does not speak TLS there; use redis:// or the TLS port',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS there; use redis:// or the TLS port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS there; use redis:// or the TLS port',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name; use that name in "driver", or redis.servername',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'asks for a client certificate; name it in redis.cert and redis.key',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'refuses the TLS handshake; it may ask for a client certificate: redis.cert and redis.key',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'does not know the authority of the client certificate in redis.cert',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'refuses the client certificate in redis.cert',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'refuses the client certificate in redis.cert, which has expired',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that is not trusted; name its authority in redis.ca, or in NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate that is not trusted; name its authority in redis.ca, or in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'has a certificate that is not trusted; name its authority in redis.ca, or in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'has a certificate that is not trusted; name its authority in redis.ca, or in NODE_EXTRA_CA_CERTS',
};

/**
 * A StartError when waiting cannot help because credentials or settings are wrong; null when the server is merely away.
 * @param place host and port, or path, never with credentials
 */
export function settingsError(place: string, error: Error): StartError | null {
  const advice = settingsErrors.find(([pattern]) => pattern.test(error.message))?.[1] ?? settingsCodes[errorCode(error)];
  return advice === undefined ? null : new StartError(`Redis at ${place} ${advice} (${firstLine(error)})`, error);
}

/** The reason in few words: `ECONNREFUSED`, or the first line of what Redis said. Never holds arguments of a command. */
export function shortReason(error: Error): string {
  return errorCode(error) || firstLine(error);
}

/** True when no reply came in time: the connection is then not to be trusted with further commands. */
export function isTimeout(error: Error): boolean {
  return error.message === 'Command timed out';
}

/** True when the connection under a command has gone, which its socket may tell only later. */
export function isBroken(error: Error): boolean {
  return /^(Connection is closed|Stream isn't writeable)/.test(error.message);
}

/** True when a server refuses to write because it follows another one. */
export function isReadOnly(error: unknown): boolean {
  return asError(error).message.startsWith('READONLY');
}

/** True when one key holds another type than expected: a fault of that record alone. */
export function isWrongType(error: Error): boolean {
  return error.message.startsWith('WRONGTYPE');
}

/** True when the user of the connection may not do this. */
export function isForbidden(error: Error): boolean {
  return error.message.startsWith('NOPERM');
}

/** True when a server has used up the memory that it may use. */
export function isOutOfMemory(error: Error): boolean {
  return error.message.startsWith('OOM');
}

/** The error behind EXECABORT: the command that was refused when it was queued. */
export function transactionError(error: unknown): Error {
  const whole = asError(error);
  const previous: unknown = 'previousErrors' in whole ? whole.previousErrors : undefined;
  return Array.isArray(previous) && previous.length > 0 ? asError(previous[0]) : whole;
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function firstLine(error: Error): string {
  return (error.message.split('\n', 1)[0] ?? '').slice(0, 200);
}
