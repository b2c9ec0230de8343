// What may come of a request, and what may not: the whole rule on one page.
//
// Right is the answer that was asked for, byte by byte. Anything else is permitted only where no proxy could have helped it:
// - the worker or the node that had the connection was killed, or the node was not there to connect to;
// - a body broke off because its backend was killed, frozen or broke it off, and the client was shown that it did;
// - a request that must not be repeated was lost with its backend, or one that waits for as long as it takes met a silent one;
// - nobody could say whether a host is served that was never asked for, because Redis was away.
// An idempotent request whose backend fails before a byte of its answer is answered by another backend, whatever happens.
import type { Answer } from './answer.js';
import type { FaultLog } from './fault-log.js';
import type { FaultName } from './faults.js';

/** What the answer of a request is measured by. */
export interface Asked {
  /**
   * `get`, `put`: idempotent; `post`: not. `patient`: a `get` of a frontend with a limit for each attempt. `cut`: its backend breaks the answer
   * off. `unknown`: a host that nobody serves.
   */
  readonly kind: 'get' | 'put' | 'post' | 'patient' | 'cut' | 'unknown';
  /** The whole body. Of `cut`: what is broken off. */
  readonly expected: Buffer;
  /** Where `cut` breaks it off. */
  readonly cutAt: number;
  /** The backend ends the body by closing: a backend that is killed ends it as well, and nobody can tell. */
  readonly endsByClose: boolean;
  readonly node: string;
  /** When its connection was begun, and whether it is the first on it. By `performance.now()`, as are the others. */
  readonly connectedAt: number;
  readonly fresh: boolean;
  readonly sentAt: number;
  readonly endedAt: number;
}

/** `permitted` and `fault` say why. */
export type Verdict = { readonly kind: 'right' } | { readonly kind: 'permitted' | 'fault'; readonly why: string };

const right: Verdict = { kind: 'right' };
/** Milliseconds from the log's line of a kill to the kill. */
const killing = 200;

/** A backend is gone, or breaks off what it has begun. */
const breaking: readonly FaultName[] = ['backend killed', 'backend resets within'];
const losing: readonly FaultName[] = [...breaking, 'backend resets', 'backend half-closes'];
const silencing: readonly FaultName[] = ['backend frozen', 'backend silent'];
const absent: readonly FaultName[] = ['node killed', 'node stopped and started', 'supervisor killed'];
const ofRedis: readonly FaultName[] = ['redis killed', 'redis frozen', 'redis cut off', 'redis flushed'];

/** Codes of the proxy for a backend that was lost, and for one that is silent. */
const lost = ['backend-closed', 'backend-stale', 'backend-discarded'];
const silent = ['backend-timeout', 'backend-try-timeout', 'backend-connect-timeout'];

export function judge(asked: Asked, answer: Answer, log: FaultLog): Verdict {
  const { sentAt, endedAt } = asked;
  const met = (...names: readonly FaultName[]): boolean => log.during(sentAt, endedAt, names).length > 0;
  const fault = (what: string): Verdict => ({
    kind: 'fault',
    why: `${what} (${answer.kind} ${answer.status} ${answer.code} ${answer.detail}, ${answer.body.length} bytes after ${Math.round(endedAt - sentAt)} ms; ${log.describe(sentAt, endedAt)})`,
  });
  const permitted = (why: string): Verdict => ({ kind: 'permitted', why });

  if (answer.kind === 'hung') return fault('hung');
  if (answer.kind === 'whole' && answer.detail !== '') return fault('something came behind the answer');
  if (answer.kind === 'refused') {
    return log.during(sentAt, endedAt, absent, asked.node).length > 0 ? permitted('its node was not there') : fault('refused');
  }
  const ownNode = lossByNode(asked, answer, log);
  if (answer.status === 200) {
    if (asked.kind === 'unknown') return fault('a host that nobody serves was served');
    const { expected } = asked;
    if (!answer.body.equals(expected.subarray(0, answer.body.length))) return fault('WRONG BYTES');
    const all = answer.body.length === expected.length;
    if (answer.kind === 'whole') {
      if (all && asked.kind !== 'cut') return right;
      return asked.endsByClose && met('backend killed')
        ? permitted('the kill of its backend looked like the end of a body that closing ends')
        : fault('A CUT ANSWER WAS GIVEN AS WHOLE');
    }
    if (asked.kind === 'cut') {
      return answer.body.length <= asked.cutAt ? right : fault('more came than was sent');
    }
    if (ownNode !== '') return permitted(ownNode);
    if (met(...breaking)) return permitted('its backend broke off the answer, and that was seen');
    if (met(...silencing)) return permitted('its backend fell silent within the answer, and that was seen');
    return fault('cut');
  }
  if (answer.kind !== 'whole') return ownNode === '' ? fault('lost without an answer') : permitted(ownNode);
  if (asked.kind === 'unknown') {
    if (answer.code === 'unknown-frontend') return right;
    if (answer.code !== 'store-away' && answer.code !== 'store-late') return fault('error');
    if (met(...ofRedis)) return permitted('a host never asked for, while Redis was away');
    // Its replies came in time, and the worker was too late to see that: it has to connect anew.
    const frozen = log.during(sentAt, endedAt, ['worker frozen', 'node frozen'], asked.node).length > 0;
    return frozen ? permitted('a host never asked for, while its worker connected to Redis anew') : fault('error');
  }
  // Every backend resets it, and a reset may overtake what was sent before it: there is nobody who could answer.
  if (asked.kind === 'cut' && [...lost, 'backend-refused'].includes(answer.code)) return right;
  if (asked.kind === 'post' && lost.includes(answer.code) && met(...losing))
    return permitted('it must not be repeated, and its backend was lost');
  if (asked.kind !== 'patient' && silent.includes(answer.code) && met(...silencing))
    return permitted('its backend was silent for as long as it may be');
  return fault(asked.kind === 'post' ? 'error' : 'an error that another attempt should have hidden');
}

/** Why the node explains that the connection is lost, or empty. */
function lossByNode({ node, connectedAt, fresh, sentAt, endedAt }: Asked, answer: Answer, log: FaultLog): string {
  if (answer.kind === 'whole') return '';
  if (log.during(sentAt, endedAt, ['node killed'], node).length > 0) return 'its node was killed';
  const kills = log.during(sentAt, endedAt, ['worker killed'], node);
  if (kills.some(({ began }) => connectedAt <= began + killing)) return 'its worker was killed';
  // The kernel drops those who wait to be accepted when the last one stops listening.
  const leaving = log.during(sentAt, endedAt, ['node stopped and started', 'supervisor killed'], node);
  return fresh && leaving.some(({ began }) => connectedAt >= began) ? 'its node left before it was accepted' : '';
}
