/** The wall clock and the monotonic clock. Both are passed in, so that tests can set them. */

export interface Clock {
  /** The time of day, in ms since 1970. It jumps when a person or NTP sets it. */
  wall(): number;
  /** Milliseconds since an arbitrary start. It never jumps and never goes back. */
  monotonic(): number;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};
