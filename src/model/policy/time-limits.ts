// Policy: how long an exchange, an attempt and the steps of an attempt may take.
import { durationAs } from '../../config/fields.js';
import { jsonField } from './field.js';

export const timeLimitFields = {
  /** The whole exchange from its head to its last byte, waiting and all attempts included; 0 and absent: no limit. Tunnels are exempt. */
  timeout: jsonField(durationAs('none', 'Longest exchange, all attempts and transfers included; 0: no limit.')),
  /** One attempt, from its start to the head of the answer; another backend may then be tried. 0 and absent: no limit. */
  tryTimeout: jsonField(durationAs('none', 'Time for one attempt to be answered; 0: no limit.')),
  /** Absent: `server.connectTimeout`. */
  connectTimeout: jsonField(durationAs('server.connectTimeout', 'Time for a connection to a backend to be made; 0: no limit.')),
  /** Absent: `server.backendTimeout`. */
  backendTimeout: jsonField(durationAs('server.backendTimeout', 'Silence of a backend that has a request; 0: no limit.')),
  /** `backendTimeout` by the name that users of http-proxy know. */
  proxyTimeout: jsonField(durationAs('backendTimeout', 'Another name of `backendTimeout`, which wins.')),
};
