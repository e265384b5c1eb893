#!/usr/bin/env node
/** The process: everything it is given goes into `run`, and what `run` returns is its exit code. */
import { setFlagsFromString } from 'node:v8';
import { catchSignals } from './daemon/signals.ts';

// Node has its own modules compiled ahead for the flags that V8 starts with: the large ones are loaded before any is changed.
for (const name of ['node:crypto', 'node:fs/promises', 'node:https'] as const) process.getBuiltinModule(name);

// The heap may grow by half before it is collected, and the room for young objects not at all: left alone, V8 lets garbage grow with the
// machine's memory, which is not ours alone. `daemon/v8-memory.ts` changes both with many machines.
setFlagsFromString('--heap-growing-percent=50');
setFlagsFromString('--semi-space-growth-factor=1');

// Node loads undici, which takes 10 MiB, when one of these is read: axios reads them, and nothing here uses one.
for (const name of ['fetch', 'FormData', 'Headers', 'Request', 'Response']) Reflect.deleteProperty(globalThis, name);

const signals = catchSignals(process);
// Loaded only now: while the program loads, a signal would end it as if it had never been written.
const { run } = await import('./commands/run.ts');

process.exit(await run(process, signals));
