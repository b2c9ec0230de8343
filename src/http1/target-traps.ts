// Paths that one server reads in another way than the next: encoded slashes, NUL, and segments of dots.

/** Which of them are looked for. */
export interface TargetTraps {
  readonly encodedSlash: boolean;
  readonly nul: boolean;
  readonly dotSegment: boolean;
}

/** A slash that is one only for who decodes it, and the backslash, which some take for one. */
const slash = /%2f|%5c|\\/i;
const nul = /%00/;
/** `.` and `..`, also encoded, and with parameters behind (`/..;x/`), which servlet containers cut off. */
const dots = /(?:^|\/)(?:\.|%2e){1,2}(?:;[^/]*)?(?:\/|$)/i;
/** The same between encoded slashes, for who decodes before it looks for segments. */
const encodedDots = /(?:\/|%2f|%5c|\\)(?:\.|%2e){2}(?:;[^/]*)?(?:\/|%2f|%5c|\\|$)/i;

/**
 * Looks at the path of a target; a query may hold what it likes, except for NUL.
 * @returns what is wrong, or an empty text
 */
export function findTrap(target: string, traps: TargetTraps): string {
  // Nearly every path has none of these characters.
  if (!target.includes('%') && !target.includes('.') && !target.includes('\\')) return '';
  if (traps.nul && nul.test(target)) return 'a NUL';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  if (traps.encodedSlash && slash.test(path)) return 'an encoded slash';
  if (traps.dotSegment && (dots.test(path) || encodedDots.test(path))) return 'a segment of dots';
  return '';
}
