/** Signals that stop the daemon or request a pass. */

/** SIGHUP is what a closing terminal sends. */
const STOP = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

interface Host {
  on(name: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): unknown;
}

export interface Signals {
  /** Resolves with the first signal to stop. A second one exits at once, with code 0. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Sets the callback for SIGUSR2. An earlier SIGUSR2 is ignored: the first pass follows anyway. */
  onPassRequested(callback: () => void): void;
}

/** Handles the signals of `host`, which is the process. */
export function catchSignals(host: Host): Signals {
  let passRequested = () => {};
  host.on('SIGUSR2', () => passRequested());
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    let isStopping = false;
    for (const name of STOP) {
      host.on(name, () => {
        if (isStopping) host.exit(0);
        isStopping = true;
        resolve(name);
      });
    }
  });
  return {
    stopped,
    onPassRequested: (callback) => {
      passRequested = callback;
    },
  };
}
