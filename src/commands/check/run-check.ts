/** The command `check`: checks the installation, prints what was found, and gives the exit code. */

import type { Signals } from '../../daemon/signals.ts';
import { plural } from '../../text/plural.ts';
import { onOneLine } from '../../text/quote.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import { wrap } from '../terminal/layout.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { checkInstallation, type Installation } from './check.ts';
import { type Finding, type State, worstOf } from './finding.ts';

const EXIT = { ready: 0, wrong: 1 } as const;

export interface CheckOptions {
  readonly terminal: Terminal;
  readonly signals: Pick<Signals, 'stopped'>;
  readonly output: 'text' | 'json';
  readonly clock?: Clock;
}

/** Resolves with the exit code: 0 when nothing is wrong. Throws OutputError. */
export async function runCheck(
  installation: Installation,
  { terminal, signals, output, clock = systemClock }: CheckOptions,
): Promise<number> {
  const stop = new AbortController();
  void signals.stopped.then((signal) => stop.abort(new Error(signal)));
  let found: readonly Finding[];
  try {
    found = await terminal.whileAtWork('checking', checkInstallation(installation, clock, stop.signal));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    terminal.note('kube-register check: interrupted');
    return EXIT.wrong;
  }
  const findings = found.map(sanitized);
  const ready = findings.every(({ state }) => state !== 'wrong');
  if (output === 'json') await terminal.printJson({ ok: ready, findings }, 2);
  else await terminal.print(findingsText(findings, terminal));
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

/** The findings for people, and their sum. */
export function findingsText(findings: readonly Finding[], terminal: Terminal): string {
  const stateWidth = Math.max(...STATES.map((state) => state.length));
  const rows = grouped(findings);
  const checkWidth = Math.max(...rows.map(({ check }) => check.length));
  const indent = stateWidth + 2 + checkWidth + 2;
  const lines = rows.flatMap(({ check, state, sentence, mend }) => {
    const painted = terminal.paint({ text: state, style: STYLES[state] }) + ' '.repeat(stateWidth - state.length);
    const [first, ...rest] = wrap(sentence, terminal.columns === undefined ? undefined : terminal.columns - indent);
    const report = [
      `${painted}  ${check.padEnd(checkWidth)}  ${first}`,
      ...rest.map((line) => ' '.repeat(indent) + line),
    ];
    // Not wrapped: it is to be copied whole.
    return mend === undefined ? report : [...report, `${' '.repeat(stateWidth + 2)}mend: ${asCommand(mend)}`];
  });
  const ofShell = findings.some(({ mend }) => mend !== undefined && /^(KUBE_REGISTER_\w+=|unset )/.test(mend));
  return [...lines, '', ...(ofShell ? OF_SHELL : []), sum(findings)].join('\n');
}

interface TextRow extends Omit<Finding, 'check'> {
  readonly check: string;
}

/** Checks that wait for the same other check are one row, where the first of them stands. */
function grouped(findings: readonly Finding[]): readonly TextRow[] {
  return findings.flatMap((finding): readonly TextRow[] => {
    const alike = findings.filter(({ state, sentence }) => state === 'skipped' && sentence === finding.sentence);
    if (alike.length < 2) return [finding];
    if (alike[0] !== finding) return [];
    const names = alike.map(({ check }) => check).join(', ');
    return [{ ...finding, check: plural(alike.length, 'check'), sentence: `${finding.sentence}: ${names}` }];
  });
}

/** Said where a mend sets a variable: that of a unit or a container is set elsewhere. */
const OF_SHELL = [
  'export and unset are for this shell. For a unit, this names the file and the line:',
  'systemctl cat kube-register.service | kube-register check --unit -',
  '',
];

/** A setting as a shell takes it. */
function asCommand(mend: string): string {
  return /^KUBE_REGISTER_\w+=/.test(mend) ? `export ${mend}` : mend;
}

/** Each check once, at its worst finding. */
function sum(findings: readonly Finding[]): string {
  const worst = worstOf(findings);
  const counts = STATES.map((state) => [[...worst.values()].filter((one) => one === state).length, state] as const);
  const told = counts
    .filter(([count]) => count > 0)
    .map(([count, state]) => (state === 'warning' ? plural(count, state) : `${count} ${state}`));
  return `${plural(worst.size, 'check')}: ${told.join(', ')}`;
}
