/** What a pass reports beside its verdicts. */

/** The kinds of notes, and whether they are warnings. */
const IS_WARNING = {
  /** Records of fleet without a machine ID. */
  skipped: true,
  /** The API server cannot list its nodes. */
  unlistable: true,
  /** Metadata that cannot be copied to a label. */
  label: false,
  /** A label that kube-register did not write. */
  foreign: false,
  /** A key of NODE_LABELS that no machine has. */
  absent: true,
  /** Two hosts that are seen as one machine or node. */
  alternates: true,
  /** Something else undoes what kube-register wrote. */
  undone: true,
  /** A new grace period replaces another. */
  takeover: false,
} as const;
export type NoteKind = keyof typeof IS_WARNING;

export interface Note {
  readonly kind: NoteKind;
  /** The key of the note among those of its kind; the same in every pass while it lasts. */
  readonly key: string;
  readonly text: string;
}

/** Whether the note is a warning. */
export function isWarningNote({ kind }: Note): boolean {
  return IS_WARNING[kind];
}
