/** The error of a failed request: its message is for people, and it holds no secrets. */

/** The servers that src/http sends requests to. Also the values of the metric label `target`. */
export const TARGETS = ['fleet', 'kubernetes'] as const;
export type Target = (typeof TARGETS)[number];

/** The servers as sentences name them. */
export const SERVER_NAMES: Readonly<Record<Target, string>> = { fleet: 'fleet', kubernetes: 'the API server' };

export interface RequestFailure {
  readonly target: Target;
  /** The server as a person would name it: `unix:///var/run/fleet.sock` or `https://10.0.0.1:6443`; never credentials. */
  readonly server: string;
  /** `GET /fleet/v1/machines`; the query is left out where it would only be noise. */
  readonly request: string;
  /** What went wrong and what to do about it, in one sentence without a full stop. */
  readonly problem: string;
  /** The HTTP status, where there was an answer. */
  readonly status?: number;
  /** `reason` of a Kubernetes Status (`AlreadyExists`, `NotFound`, `Invalid`, ...), or a system error code (`ECONNREFUSED`). */
  readonly code?: string;
}

/** `fleet at unix:///var/run/fleet.sock: GET /fleet/v1/machines: connection refused: is fleet.socket running?` */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly target: Target;
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(failure: RequestFailure) {
    super(`${failure.target} at ${failure.server}: ${failure.request}: ${failure.problem}`);
    this.target = failure.target;
    this.status = failure.status;
    this.code = failure.code;
  }
}
