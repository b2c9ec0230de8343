// What a certificate authority says when it refuses (RFC 8555 section 6.7, RFC 9457): in its own words, so that a person can act on it.

/** How the types of ACME begin. */
const namespace = 'urn:ietf:params:acme:error:';
/** Authorities write at length, and so may whoever answers in their place. */
const longestDetail = 500;

export class AcmeProblem extends Error {
  /** Without the namespace, e.g. `rateLimited`; an empty text: the authority gave none. */
  readonly type: string;
  /** Status of the answer; 0: it stands in an object that was fetched. */
  readonly status: number;
  /** Milliseconds after which it wants to be asked again; 0: it did not say. */
  readonly retryAfter: number;

  constructor(type: string, detail: string, status: number, retryAfter = 0) {
    super([type, detail].filter((part) => part !== '').join(': '));
    this.name = 'AcmeProblem';
    this.type = type;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Makes a problem of a problem document.
 * @param written what stands in the answer, or in the field `error` of an object
 * @param status of the answer; 0: there is none
 */
export function problemOf(written: unknown, status: number, retryAfter = 0): AcmeProblem {
  const { type, detail, subproblems } = (typeof written === 'object' && written !== null ? written : {}) as Record<
    string,
    unknown
  >;
  const name = typeof type === 'string' ? type.replace(namespace, '') : '';
  const below = Array.isArray(subproblems) ? subproblems.map((one) => problemOf(one, 0).message) : [];
  const text = [typeof detail === 'string' ? detail : '', ...below].filter((part) => part !== '').join('; ');
  return new AcmeProblem(clean(name), clean(text) || `answered ${status}`, status, retryAfter);
}

/** One line of printable text, since it ends up in logs and records. */
function clean(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, longestDetail);
}
