/** What kind of note a pass gives, by the first word of its key: under which event it is logged, and whether something is wrong while it lasts. */
import type { LogEvent } from './log-events.ts';

export interface NoteKind {
  readonly event: LogEvent;
  /** All is not well while a pass gives such a note. */
  readonly isWarning: boolean;
}

const KINDS: Readonly<Record<string, NoteKind>> = {
  skipped: { event: 'worked-around', isWarning: true },
  unlistable: { event: 'worked-around', isWarning: true },
  /** Metadata that cannot be a label. */
  label: { event: 'worked-around', isWarning: false },
  /** A label that was there before. */
  foreign: { event: 'worked-around', isWarning: false },
  /** A key of NODE_LABELS that no machine has. */
  absent: { event: 'worked-around', isWarning: true },
  alternates: { event: 'alternating', isWarning: true },
  undone: { event: 'undone-by-others', isWarning: true },
  takeover: { event: 'grace-restarted', isWarning: false },
};

/** A kind that is not in the table is a warning. */
export function noteKindOf(key: string): NoteKind & { readonly word: string } {
  const word = key.split(' ', 1)[0] ?? '';
  const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
  return { word, ...(kind ?? { event: 'worked-around', isWarning: true }) };
}
