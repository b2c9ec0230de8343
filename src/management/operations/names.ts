// Names that callers give: read, and checked to be theirs.
import { RouteConfigError } from '../../library/route-config-error.js';
import { parseVHost } from '../../library/route-records.js';
import { invalidBody, Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';

/** The frontend that a text names. @throws Problem when it cannot name one */
export function frontendName(text: string, pointer = '/vHost'): string {
  try {
    return parseVHost(text);
  } catch (error) {
    if (!(error instanceof RouteConfigError)) throw error;
    throw invalidBody([{ pointer, detail: error.message.replace(/^route \?: (?:vHost )?/, '') }]);
  }
}

/** The name that the certificate of a frontend is kept under. */
export function certificateName(frontend: string): string {
  const host = frontend.split('/', 1)[0] as string;
  return host.startsWith('[') ? host.replace(/\]:\d+$/, ']') : host.replace(/:\d+$/, '');
}

/** The name, if the author may touch it. @throws Problem `forbidden` */
export function touchable({ mayTouch }: Workspace, name: string): string {
  if (mayTouch === undefined || mayTouch(name)) return name;
  throw new Problem('forbidden', `This token is not for ${name}`);
}
