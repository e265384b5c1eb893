/** What the operator decided: the settings that a plan depends on. */
export interface Policy {
  /** Why nothing is ever deregistered (`KUBE_REGISTER_POLICY=register-only`), or undefined where it may be. */
  readonly neverDeregister: string | undefined;
  readonly adopt: boolean;
  /** OWNER_ID: nodes with the mark of another owner are never touched. */
  readonly ownerId: string;
  /** ms of watched time; Infinity switches the reason off. */
  readonly missingGraceMs: number;
  readonly unhealthyGraceMs: number;
  /** 0 to 100; 100 switches the percentage off. */
  readonly maxDeregisterPercent: number;
  /** The shortest nominal time between two passes, ms. */
  readonly intervalMs: number;
  /** The metadata keys that become labels. */
  readonly nodeLabels: readonly string[];
}

/** When a pass takes place. */
export interface Now {
  /** Monotonic ms: what graces are measured with. */
  readonly monotonicMs: number;
  /** ISO 8601: what is written for people. */
  readonly wall: string;
}
