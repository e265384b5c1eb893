/** Many listeners on one AbortSignal for the price of one: Node warns of more than ten, and finds each by walking over all. */

const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls the listener when the signal, which is not aborted yet, is. Returns what takes the listener away again. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = listenersOf.get(signal) ?? listen(signal);
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listenersOf.set(signal, listeners);
  signal.addEventListener(
    'abort',
    () => {
      for (const listener of listeners) listener();
    },
    { once: true },
  );
  return listeners;
}
