// The date of a response in the form of RFC 9110 section 5.6.7, made once a second however often it is asked for.

let second = -1;
let text = '';

/** @param wall milliseconds since the epoch */
export function httpDate(wall = Date.now()): string {
  const current = Math.floor(wall / 1000);
  if (current !== second) {
    second = current;
    text = new Date(current * 1000).toUTCString();
  }
  return text;
}
