/** Draws the same worlds in every run, so that a mutant which is killed once is killed again. */
import fc from 'fast-check';

fc.configureGlobal({ seed: 1 });
