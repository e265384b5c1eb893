#!/usr/bin/env node
/** The process: everything it is given goes into `run`, and what `run` returns is its exit code. */
import { hearSignals } from './signals.ts';

const signals = hearSignals(process);
// Loaded only now: while the program loads, a signal would end it as if it had never been written.
const { run } = await import('./run.ts');

process.exit(await run(process, signals));
