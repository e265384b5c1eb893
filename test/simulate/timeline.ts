/** Time that passes only when nobody has anything left to do: a schedule of hours takes milliseconds, and always the same way. */

interface Appointment {
  readonly atMs: number;
  readonly keep: () => void;
}

export class Timeline {
  /** In the order of their times; of equal ones the first that was made comes first. */
  readonly #appointments: Appointment[] = [];
  nowMs = 0;

  /** Resolves when so much time has passed. */
  sleep(ms: number): Promise<void> {
    return new Promise((keep) => {
      const atMs = this.nowMs + ms;
      let at = this.#appointments.length;
      while (at > 0 && (this.#appointments[at - 1]?.atMs ?? 0) > atMs) at -= 1;
      this.#appointments.splice(at, 0, { atMs, keep });
    });
  }

  /** Lets everything happen that is due by then. */
  async runUntil(atMs: number): Promise<void> {
    for (;;) {
      await everybodyWaits();
      const next = this.#appointments[0];
      if (next === undefined || next.atMs > atMs) break;
      this.#appointments.shift();
      this.nowMs = next.atMs;
      next.keep();
    }
    this.nowMs = atMs;
  }
}

/** Promises that can go on do so before the event loop turns. */
function everybodyWaits(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
