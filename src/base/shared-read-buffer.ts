// What connections read into that move little: one buffer for all of them. A read is handled to its end before the next one begins.

/** Holds what was read until the handler returns; what must outlive it is copied. */
export const sharedReadBuffer = Buffer.allocUnsafeSlow(16 * 1024);
