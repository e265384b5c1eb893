/** The settings that a plan depends on, and the time of the pass. */
export interface Policy {
  /** The setting that forbids deregistration, as `KUBE_REGISTER_POLICY=register-only`; undefined without one. */
  readonly neverDeregister: string | undefined;
  readonly adopt: boolean;
  /** OWNER_ID: nodes with the annotations of another owner are never changed. */
  readonly ownerId: string;
  /** ms of watched time; Infinity is never. */
  readonly missingGraceMs: number;
  readonly unhealthyGraceMs: number;
  /** 0 to 100; 100 is no limit. */
  readonly maxDeregisterPercent: number;
  /** The shortest nominal time between two passes, ms. */
  readonly intervalMs: number;
  /** The metadata keys that become labels. */
  readonly nodeLabels: readonly string[];
}

/** The time of a pass. */
export interface Now {
  /** Monotonic ms, for grace periods. */
  readonly monotonicMs: number;
  /** ISO 8601, for annotations. */
  readonly wall: string;
}
