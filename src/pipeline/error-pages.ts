// The HTML pages of errors: files that an operator may replace, the shipped ones otherwise.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../base/package-folder.js';
import type { ErrorCode } from '../errors/catalog.js';

/** Pages by status and code. */
export interface ErrorPages {
  /**
   * The page of an error, byte by byte as its file has it: of `error_<code>.html`, `error_<status>.html`,
   * `error_default.html` the first that exists. Null: none does. The buffer is shared: not to be changed.
   */
  page(status: number, code?: ErrorCode): Buffer | null;
}

const shippedPages = join(packageFolder, 'config/pages/');

/** An edit is in force after a second at the latest, and a flood of errors does not become a flood of reads. */
const recheckAfter = 1000;

interface CachedFile {
  readonly content: Buffer | null;
  readonly readAt: number;
}

/**
 * @param staticDir folder of pages; null: the shipped ones. It need not exist
 * @param now milliseconds on any steady scale
 */
export function createErrorPages(staticDir: string | null, now: () => number = () => performance.now()): ErrorPages {
  const folder = staticDir ?? shippedPages;
  // Names come from the catalog, so there are few.
  const files = new Map<string, CachedFile>();

  function read(name: string): Buffer | null {
    const at = now();
    const cached = files.get(name);
    if (cached !== undefined && at - cached.readAt < recheckAfter) return cached.content;
    const content = readPage(join(folder, `error_${name}.html`));
    files.set(name, { content, readAt: at });
    return content;
  }

  return {
    page(status, code) {
      return (code === undefined ? null : read(code)) ?? read(String(status)) ?? read('default');
    },
  };
}

/**
 * Reads the few kilobytes whole: a look at the modification time would miss a second edit within its resolution. A page
 * that cannot be read counts as absent, since an error page must not be the next error.
 */
function readPage(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
