/** The flags of the demo: read, or explained. */
import { parseArgs } from 'node:util';
import { parseDuration } from '../../src/time/duration.ts';

export interface Options {
  readonly port: number;
  /** How long the demo runs, in ms; Infinity is until Ctrl-C. */
  readonly forMs: number;
}

/** Beside the daemon's own 10271, so that a kube-register on this machine is not in the way. */
const PORT = 10_272;

const HELP = `npm run demo -- [--port PORT] [--for DURATION]

Runs the real daemon in a small simulated cluster and tells what happens. Nothing outside this machine is touched.

  --port PORT      where the status page is (default ${PORT})
  --for DURATION   end after this time, such as 60s; default: Ctrl-C ends it`;

/** The options, or the text to print and the exit code. */
export function readOptions(args: readonly string[]): Options | { readonly text: string; readonly exitCode: number } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { port: { type: 'string' }, for: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) return { text: HELP, exitCode: 0 };
    const port = Number(values.port ?? PORT);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`--port ${values.port}: must be a number from 1 to 65535`);
    const forMs = values.for === undefined ? Number.POSITIVE_INFINITY : parseDuration(values.for);
    if (forMs === undefined) throw new Error(`--for ${values.for}: must be a duration, such as 60s`);
    return { port, forMs };
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : error}\n\n${HELP}`, exitCode: 2 };
  }
}
