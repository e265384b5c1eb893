/** The mutants that no test kills, each with the reason why none can. */

/** The lines that a mutant is on, before and after, each put on one line. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const SURVIVORS: readonly (Change & { readonly why: string })[] = [
  {
    file: 'src/reconcile/plan/dead.ts',
    from: '(a.node.name < b.node.name ? -1 : 1),',
    to: '(a.node.name <= b.node.name ? -1 : 1),',
    why: 'two nodes have two names',
  },
];
