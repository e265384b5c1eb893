/** The states in which the page is looked at: the endings of the showcase, and a thousand machines. */
import { serve } from './many.ts';
import { ENDINGS, startShowcase } from './showcase.ts';

interface Shown {
  readonly url: string;
  /** The time at which the page is looked at; not given: the browser's. */
  readonly now?: Date;
  close(): Promise<void>;
}

export const STATES: readonly { readonly state: string; readonly start: () => Promise<Shown> }[] = [
  ...ENDINGS.map((ending) => ({ state: ending, start: () => startShowcase(ending) })),
  { state: 'a thousand machines', start: () => serve(1_000) },
];

/** Of the window, in CSS pixels: a phone, a tablet, a laptop, a desk, a wide desk. */
export const WIDTHS = [360, 768, 1_280, 1_920, 2_560] as const;
/** Of the window, in CSS pixels. */
export const HEIGHT = 860;
