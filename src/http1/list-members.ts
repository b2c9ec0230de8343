// Field values that are lists (RFC 9110 section 5.6.1).

const space = ' ';
const tab = '\t';

/** Members of a list in lower case, without the blanks around them; empty ones too. Not for lists with quoted commas. */
export const listMembers = (value: string): string[] => value.toLowerCase().split(',').map(withoutBlanks);

/** Only blank and tab: `trim` takes a no-break space away too, and so would hide a member that others do not know. */
function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && (text[from] === space || text[from] === tab)) from++;
  while (to > from && (text[to - 1] === space || text[to - 1] === tab)) to--;
  return text.slice(from, to);
}
