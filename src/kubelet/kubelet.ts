/** What a kubelet's health endpoint says, in the terms the rest of the program uses. */

/**
 * - `healthy`: an HTTP status from 200 to 399, or 401 or 403 (there is a kubelet, and it wants credentials)
 * - `answers`: any other HTTP response: alive, though not well
 * - `silent`: no HTTP response within the timeout, from any of the URLs
 */
export type KubeletState = 'healthy' | 'answers' | 'silent';

/** The outcome of one health check of one machine. */
export interface KubeletAnswer {
  readonly state: KubeletState;
  /** For people: `http://10.0.0.1:10255/healthz answered 200`, or `no answer within 2 s on 3 URLs (ECONNREFUSED)`. */
  readonly detail: string;
}

/** Asks kubelets whether they are alive. */
export interface KubeletProber {
  /** Never rejects because of the kubelet; rejects with the signal's reason when aborted. `address` is a bare IP. */
  check(address: string, signal: AbortSignal): Promise<KubeletAnswer>;
}
