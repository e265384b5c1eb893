/** Mistakes that the program could have: at least one for each sentence of the rules that a pass can break. */
import type { Mutant } from './mutant.ts';
import { MUTANTS_OF_LIFE } from './mutants-of-life.ts';
import { MUTANTS_OF_PAIRING } from './mutants-of-pairing.ts';

export const MUTANTS: readonly Mutant[] = [...MUTANTS_OF_PAIRING, ...MUTANTS_OF_LIFE];
