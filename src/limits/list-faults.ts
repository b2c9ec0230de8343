// What is wrong with a list of addresses, in one line however long the list is.

const most = 5;
const longest = 60;

/** @param wrong entries that are neither an address nor a range */
export function tellFaults(wrong: readonly string[]): string {
  const shown = wrong
    .slice(0, most)
    .map((entry) => `${JSON.stringify(entry.slice(0, longest))} is neither an IP address nor a range such as 10.0.0.0/8`);
  if (wrong.length > most) shown.push(`${wrong.length - most} more like it`);
  return shown.join('; ');
}
