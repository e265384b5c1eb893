#!/usr/bin/env node
/** The process: everything it is given goes into `run`, and what `run` returns is its exit code. */
import { run } from './run.ts';

process.exit(await run(process));
