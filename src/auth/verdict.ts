// The contract of a check: what it is told of a request, and what it decides. Plain values: nothing here knows an exchange.

/** A text that decisions hang on, and its digest, kept with a connection so that it is not computed for each of its requests. */
export interface ShownCredential {
  text: string;
  digest: string;
}

/** What a check may look at. */
export interface AuthQuestion {
  /** Value of Authorization, or empty. */
  readonly authorization: string;
  readonly method: string;
  readonly scheme: string;
  /** Host and port as the client asked for them. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  readonly clientAddress: string;
  readonly requestId: string;
  /** What the connection showed last; null: it is one of many clients. */
  readonly shown: ShownCredential | null;
  /** All lines as they came, for keys of caches. */
  readonly headerText: string;
  /** The value of a header, several lines of it joined; empty where there is none. */
  header(name: string): string;
  /** Names and values in turn. */
  headerPairs(): readonly string[];
}

/** What was decided. */
export type Verdict =
  /** The request goes on. `headers`: names and values in turn for the backend. */
  | {
      readonly kind: 'passed';
      readonly headers: readonly string[] /** Milliseconds since the epoch after which it must be asked again. */;
      readonly until?: number;
      /** What a token says of the client, once it was verified. */
      readonly claims?: Readonly<Record<string, unknown>>;
    }
  /** 401. `challenge` is the value of WWW-Authenticate. */
  | { readonly kind: 'refused'; readonly challenge: string }
  /** 403: who it is is known, and may not. */
  | { readonly kind: 'forbidden'; readonly challenge: string }
  /** The service that was asked answers the client itself. */
  | { readonly kind: 'answered'; readonly answer: ServiceAnswer }
  /** It cannot be decided now; the detail is for the log and names no secret. */
  | { readonly kind: 'away'; readonly detail: string }
  /** Too many checks wait already. */
  | { readonly kind: 'busy' };

/** An answer to be relayed. */
export interface ServiceAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Decides about one question; implemented once for each type of provider. */
export interface Check {
  /** Everything that the decision hangs on, in one text; empty: the decision is not kept and not shared. */
  keyOf(question: AuthQuestion): string;
  /** Never rejects. */
  check(question: AuthQuestion): Verdict | Promise<Verdict>;
}
