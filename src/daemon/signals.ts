/** The signals that end the program or have it pass, heard from its first moment on. */

/** A terminal that closes asks for an end as much as an operator does. */
const STOP = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

interface Host {
  on(name: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): unknown;
}

export interface Signals {
  /** Resolves with the first signal that asks for an end. The second one ends the process at once, with exit code 0. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Calls back at every SIGUSR2 from now on; an earlier one asked for nothing, for the first pass is to come. */
  onPassWanted(callback: () => void): void;
}

/** `host` is the process. */
export function catchSignals(host: Host): Signals {
  let passWanted = () => {};
  host.on('SIGUSR2', () => passWanted());
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
    onPassWanted: (callback) => {
      passWanted = callback;
    },
  };
}
