/** What a pass has to say beside its verdicts. */

/** The kinds of notes, and whether one means that something is wrong while it lasts. */
const IS_WARNING = {
  /** Records of fleet that name no machine. */
  skipped: true,
  /** The API server cannot list its nodes. */
  unlistable: true,
  /** Metadata that cannot be a label. */
  label: false,
  /** A label that was there before. */
  foreign: false,
  /** A key of NODE_LABELS that no machine has. */
  absent: true,
  /** Two hosts behind one machine or node. */
  alternates: true,
  /** Something else undoes what was written. */
  undone: true,
  /** A new grace period in place of another. */
  takeover: false,
} as const;
export type NoteKind = keyof typeof IS_WARNING;

export interface Note {
  readonly kind: NoteKind;
  /** Of notes of one kind, what tells this one from the others; the same in every pass in which it lasts. */
  readonly key: string;
  readonly text: string;
}

/** All is not well while a pass gives such a note. */
export function isWarningNote({ kind }: Note): boolean {
  return IS_WARNING[kind];
}
