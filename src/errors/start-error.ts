// An error that ends the start of a program: the machine or its configuration has to be mended by a person first.

/** Its message is one clear line that names what failed and what to do; programs print it without a stack and exit with code 1. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StartError';
  }
}
