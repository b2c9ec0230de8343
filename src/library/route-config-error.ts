// The error for a route that a program described wrongly.

/** Its message is one line that names the route, the member, its value and what is allowed. */
export class RouteConfigError extends Error {
  constructor(vHost: string, text: string) {
    super(`route ${vHost}: ${text}`);
    this.name = 'RouteConfigError';
  }
}
