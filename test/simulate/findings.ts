/** What the judges of a schedule report: broken rules, and counts of what occurred. */

export class BrokenRule extends Error {
  override readonly name = 'BrokenRule';
  /** `T1`, or a promise in words: equal for findings of one kind. */
  readonly rule: string;

  constructor(rule: string, what: string) {
    super(`BROKEN ${rule}: ${what}`);
    this.rule = rule;
  }
}

export class Findings {
  /** The first rule that was broken. Nothing is thrown: the daemon would take it for a fault of a server. */
  broken: BrokenRule | undefined;
  readonly counts = new Map<string, number>();
  readonly #tell: (what: string) => void;

  constructor(tell: (what: string) => void) {
    this.#tell = tell;
  }

  expect(isSo: boolean, rule: string, what: () => string): void {
    if (isSo || this.broken !== undefined) return;
    this.broken = new BrokenRule(rule, what());
    this.#tell(this.broken.message);
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}
