/** What a kubelet's health endpoint says, in the terms the rest of the program uses. */

/**
 * - `healthy`: an HTTP status from 200 to 399, or 401 or 403 (there is a kubelet, and it wants credentials)
 * - `answers`: any other sign of life: alive, though not well. Another HTTP response, or one that is broken or unfinished; TLS that the
 *   server has begun to speak, whatever came of it (a certificate that cannot be verified, an alert, no HTTP after the handshake)
 * - `silent`: nothing of all that within the timeout, from any of the URLs
 */
export type KubeletState = 'healthy' | 'answers' | 'silent';

/** The outcome of one health check of one machine. */
export interface KubeletAnswer {
  readonly state: KubeletState;
  /** For people: `http://10.0.0.1:10255/healthz answered 200`, or `no answer: http://10.0.0.1:10255/healthz refused the connection`. */
  readonly detail: string;
  /** `silent`, and one of its URLs gave no reply in time: the kubelet hangs, or packets are lost. */
  readonly timedOut?: boolean;
  /** What to do about a certificate that was not accepted: the end of `detail`, where that is the cause. */
  readonly remedy?: string;
}

/** Asks kubelets whether they are alive. */
export interface KubeletProber {
  /** Never rejects because of the kubelet; rejects with the signal's reason when aborted. `address` is a bare IP. */
  check(address: string, signal: AbortSignal): Promise<KubeletAnswer>;
}
