/** Reads the web configuration file again while the daemon runs; a broken new version leaves the last one in force. */
import { CredentialError } from '../../credentials/credential-error.ts';
import { restartReason, type WebConfig } from './web-config.ts';

const EVERY_MS = 5_000;

export interface WebConfigListener {
  /** Another version is to be used from now on. */
  changed(config: WebConfig): void;
  /** The file cannot be used: one sentence, once for each mistake. */
  broken(problem: string): void;
  /** The version in force is back in the file. */
  mended(): void;
}

export class WebConfigWatch {
  readonly #read: () => Promise<WebConfig>;
  readonly #listener: WebConfigListener;
  #inForce: WebConfig;
  /** What was wrong at the last reading, and what the listener was told. */
  #problem: string | undefined;
  #told: string | undefined;
  #isReading = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(first: WebConfig, read: () => Promise<WebConfig>, listener: WebConfigListener) {
    this.#inForce = first;
    this.#read = read;
    this.#listener = listener;
  }

  /** Reads the files every 5 s until `stop`. File events are no use where a mounted secret is replaced by a link. */
  start(): void {
    this.#timer = setInterval(() => void this.check(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Reads the files once. */
  async check(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const config = await this.#read().catch(describe);
      if (typeof config === 'string') this.#refuse(config);
      else this.#use(config);
    } finally {
      this.#isReading = false;
    }
  }

  #use(config: WebConfig): void {
    const reason = restartReason(this.#inForce, config);
    if (reason !== undefined) {
      this.#refuse(`KUBE_REGISTER_WEB_CONFIG_FILE: ${reason}`);
      return;
    }
    const wasTold = this.#told !== undefined;
    this.#problem = undefined;
    this.#told = undefined;
    if (config.digest !== this.#inForce.digest) {
      this.#inForce = config;
      this.#listener.changed(config);
    } else if (wasTold) this.#listener.mended();
  }

  /** A certificate and its key are replaced one after the other, so a mistake counts when it is still there at the next reading. */
  #refuse(problem: string): void {
    const isStill = this.#problem === problem;
    this.#problem = problem;
    if (!isStill || this.#told === problem) return;
    this.#told = problem;
    this.#listener.broken(problem);
  }
}

/** Whatever is wrong with the file must not end the daemon. */
function describe(error: unknown): string {
  if (error instanceof CredentialError) return error.message;
  return `KUBE_REGISTER_WEB_CONFIG_FILE: it cannot be read (${error instanceof Error ? error.name : 'unknown error'})`;
}
