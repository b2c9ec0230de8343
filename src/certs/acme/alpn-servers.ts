// Answers an authority that looks for the proof of a name by TLS (RFC 8737): a handshake for `acme-tls/1`, and nothing after it.
import tls from 'node:tls';
import type { NameServer } from '../name-servers.js';
import type { ChallengePair } from './challenge-records.js';

/** The protocol of a handshake that asks for a proof. A client offers nothing else with it. */
const acmeProtocol = 'acme-tls/1';

/** The server of a challenge; null: that name is not being proved. Made for the few handshakes of one proof. */
export function alpnServer(pair: ChallengePair | null): NameServer | null {
  if (pair === null) return null;
  const server = tls.createServer({
    cert: pair.certificate,
    key: pair.key,
    ALPNProtocols: [acmeProtocol],
    minVersion: 'TLSv1.2',
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    socket.end();
    socket.resume();
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return { server, authorities: '' };
}
