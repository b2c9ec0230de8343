// What an exchange and its attempts are given in time, where its frontend says something else than the settings.

/** The limits of one exchange. Milliseconds; 0: no limit. */
export interface TimeLimits {
  /** For a connection to a backend to be made. */
  readonly connectTimeout: number;
  /** Silence of a backend that has a request. */
  readonly backendTimeout: number;
  /** An attempt begins. */
  attemptBegins(): void;
  /** The answer of an attempt is passed on: only the limit of the whole exchange holds from here; none for a tunnel. */
  answered(tunnel: boolean): void;
  /** Whether so many milliseconds are left of the whole exchange. */
  allow(milliseconds: number): boolean;
}
