/** The two clocks: one says what time it is and may jump, the other only how much time has passed. */

export interface Clock {
  /** The time of day, in ms since 1970. It jumps when somebody or NTP sets it. */
  wall(): number;
  /** Milliseconds since an arbitrary start. It never jumps and never goes back. */
  monotonic(): number;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};
