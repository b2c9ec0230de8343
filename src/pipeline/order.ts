// The order of the stages: the table of contents of a request.
import type { Stage } from './stage.js';

/** One stage each, made by the composition root. */
export interface Stages {
  /** Who asks: request id and client address. */
  readonly identify: Stage;
  /** The proxy's own answers: `__ping__`. */
  readonly self: Stage;
  /** Authorities that look for the proof of a name; null: nothing is being proved. */
  readonly acmeChallenge: Stage | null;
  /** Whether the host may be asked for on a connection whose TLS was made for another name. */
  readonly secureName: Stage;
  /** Who is turned away, whatever was asked for: in an overload, from a block list, with a deceiving path. */
  readonly gate: Stage;
  /** Which frontend serves the host. */
  readonly route: Stage;
  /** Whether it came to the one who ends its TLS. */
  readonly passedThrough: Stage;
  /** Who is sent to HTTPS or to another host, before anything is asked of them. */
  readonly redirect: Stage;
  /** Whether the frontend is closed for the time being. */
  readonly maintenance: Stage;
  /** How long it may take, waiting for any of the following included. */
  readonly timeLimits: Stage;
  /** Who has shown the certificate that the frontend asks for. */
  readonly clientCertificate: Stage;
  /** Who may reach the frontend. */
  readonly access: Stage;
  /** How many requests a client may make. */
  readonly limit: Stage;
  /** How large its body may be. */
  readonly bodyLimit: Stage;
  /** What a backend is asked for and told. */
  readonly rewrite: Stage;
  /** Whether it may go on at once or has to wait for others to end. */
  readonly queue: Stage;
  /** Sends it to a backend and brings the answer back; the only loop over attempts. */
  readonly forward: Stage;
}

/** Stages in their order. */
export interface StageOrder {
  readonly stages: readonly Stage[];
  /** From here on, up to `policyEnd`, stages look at nothing but the policy of a frontend: without one they are left out. */
  readonly policyBegin: number;
  readonly policyEnd: number;
}

/**
 * Every exchange passes these, in this order; each of them ends in `stages/finish`.
 * @param allLimited whether frontends without a policy have a tier as well
 */
export function inOrder(stages: Stages, allLimited: boolean): StageOrder {
  const { acmeChallenge } = stages;
  const before = [
    stages.identify,
    stages.self,
    ...(acmeChallenge === null ? [] : [acmeChallenge]),
    stages.secureName,
    stages.gate,
    stages.route,
  ];
  const policy = [
    stages.passedThrough,
    stages.redirect,
    stages.maintenance,
    stages.timeLimits,
    stages.clientCertificate,
    stages.access,
    stages.limit,
    stages.bodyLimit,
    stages.rewrite,
    stages.queue,
  ];
  return {
    stages: [...before, ...policy, stages.forward],
    policyBegin: before.length,
    policyEnd: before.length + (allLimited ? 0 : policy.length),
  };
}
