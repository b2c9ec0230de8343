// Mends what a class that extends String does to the speed of every string in the process.
//
// Such a class (the Redis client has one) makes V8 keep String.prototype as a dictionary, and from then on optimised code
// looks up `charCodeAt`, `slice` and the like by name, each time: a tenth of the instructions of a request. A property
// that is read through an object which inherits from it makes V8 lay it out as a prototype again.

/** Call once after all imports. Harmless where there is nothing to mend. @returns a number without meaning, so that the reads are kept */
export function relayStringPrototype(): number {
  const heir = Object.create(String.prototype) as { readonly length: number };
  let sum = 0;
  for (let reads = 0; reads < 1000; reads++) sum += heir.length;
  return sum;
}
