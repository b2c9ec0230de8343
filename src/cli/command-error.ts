// Why a command ends without having done what it was asked, in one line, with its exit code.

/** What a command ends with. */
export const exitCodes = {
  done: 0,
  /** It failed, or was refused. */
  failed: 1,
  /** It was not understood. */
  usage: 2,
  /** `plan`, `lint`: something was found. */
  found: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}
