import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { catchSignals } from '../../../src/daemon/signals.ts';

function host() {
  const emitter = new EventEmitter();
  const exit = vi.fn<(code: number) => void>();
  return { emitter, exit, signals: catchSignals(Object.assign(emitter, { exit })) };
}

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s asks for an end, and the next one ends the process at once',
    async (name) => {
      const { emitter, exit, signals } = host();
      emitter.emit(name);
      expect(await signals.stopped).toBe(name);
      expect(exit).not.toHaveBeenCalled();
      emitter.emit('SIGTERM');
      expect(exit).toHaveBeenCalledExactlyOnceWith(0);
    },
  );

  it('SIGUSR2 asks for a pass, once there is somebody to make it', () => {
    const { emitter, signals } = host();
    const pass = vi.fn();
    emitter.emit('SIGUSR2');
    signals.onPassRequested(pass);
    expect(pass).not.toHaveBeenCalled();
    emitter.emit('SIGUSR2');
    expect(pass).toHaveBeenCalledOnce();
  });
});
