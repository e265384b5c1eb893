/** The command `check`: checks the installation, prints what was found, and gives the exit code. */

import type { Signals } from '../../daemon/signals.ts';
import type { Invocation } from '../../settings/settings.ts';
import { onOneLine } from '../../text/quote.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import { OutputError, type Terminal } from '../terminal.ts';
import { checkInstallation } from './check.ts';
import type { Finding, State } from './finding.ts';
import { mistakesFound } from './settings.ts';

const EXIT = { ready: 0, wrong: 1 } as const;

export interface CheckOptions {
  readonly terminal: Terminal;
  readonly signals: Pick<Signals, 'stopped'>;
  readonly output: 'text' | 'json';
  readonly clock?: Clock;
}

/** Resolves with the exit code: 0 when nothing is wrong. Mistakes in the settings are findings, and the only ones. */
export async function runCheck(
  invocation: Extract<Invocation, { kind: 'run' | 'mistakes' }>,
  { terminal, signals, output, clock = systemClock }: CheckOptions,
): Promise<number> {
  const stop = new AbortController();
  void signals.stopped.then((signal) => stop.abort(new Error(signal)));
  let found: readonly Finding[];
  try {
    found =
      invocation.kind === 'mistakes'
        ? mistakesFound(invocation.lines)
        : await terminal.whileAtWork('checking', checkInstallation(invocation, clock, stop.signal));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    terminal.note('kube-register check: interrupted');
    return EXIT.wrong;
  }
  const findings = found.map(sanitized);
  const ready = findings.every(({ state }) => state !== 'wrong');
  const report = output === 'json' ? JSON.stringify({ ok: ready, findings }, null, 2) : text(findings, terminal);
  try {
    await terminal.print(report);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    terminal.note(`kube-register check: ${error.message}`);
    return EXIT.wrong;
  }
  return ready ? EXIT.ready : EXIT.wrong;
}

const STYLES = { ok: 'well', warning: 'watch', wrong: 'trouble', skipped: 'idle' } as const;
const STATES = Object.keys(STYLES) as State[];
const LONGEST = 2_000;

/** Texts from servers must not move the cursor, break a line or change the reading direction. */
function sanitized({ mend, sentence, ...found }: Finding): Finding {
  const clean = { ...found, sentence: onOneLine(sentence, LONGEST) };
  return mend === undefined ? clean : { ...clean, mend: onOneLine(mend, LONGEST) };
}

function text(findings: readonly Finding[], terminal: Terminal): string {
  const stateWidth = Math.max(...STATES.map((state) => state.length));
  const checkWidth = Math.max(...findings.map(({ check }) => check.length));
  const indent = stateWidth + 2 + checkWidth + 2;
  const lines = findings.flatMap(({ check, state, sentence, mend }) => {
    const painted = terminal.paint({ text: state, style: STYLES[state] }) + ' '.repeat(stateWidth - state.length);
    const [first, ...rest] = wrap(sentence, (terminal.columns ?? Infinity) - indent);
    const report = [
      `${painted}  ${check.padEnd(checkWidth)}  ${first}`,
      ...rest.map((line) => ' '.repeat(indent) + line),
    ];
    // Not wrapped: it is to be copied whole.
    return mend === undefined ? report : [...report, `${' '.repeat(stateWidth + 2)}mend: ${mend}`];
  });
  return [...lines, '', sum(findings)].join('\n');
}

/** In less room than this, lines of words are harder to read than a line that the terminal breaks. */
const LEAST_ROOM = 20;

/** Lines of at most that many characters, broken between words; a longer word stays whole. */
function wrap(text: string, room: number): readonly string[] {
  if (room < LEAST_ROOM || text.length <= room) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A check can have several findings. */
function sum(findings: readonly Finding[]): string {
  const checks = new Set(findings.map(({ check }) => check)).size;
  const counts = STATES.map((state) => `${findings.filter((finding) => finding.state === state).length} ${state}`);
  return `${findings.length} findings of ${checks} checks: ${counts.join(', ')}`;
}
