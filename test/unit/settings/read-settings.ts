/** Reads settings the short way for tests: variables are named without their prefix. */
import { type Invocation, readSettings, type Settings } from '../../../src/settings/settings.ts';

export type Env = Record<string, string | undefined>;

/** A host without a service account's token. */
export const nowhere = (_path: string): boolean => false;

export function prefixed(variables: Env): Env {
  return Object.fromEntries(Object.entries(variables).map(([name, text]) => [`KUBE_REGISTER_${name}`, text]));
}

/** What good flags and variables come to. `more` are variables with their full names. */
export function read(flags: readonly string[], variables: Env = {}, more: Env = {}, fileExists = nowhere): Settings {
  return run(readSettings(flags, { ...prefixed(variables), ...more }, fileExists)).settings;
}

export function warnings(variables: Env): readonly string[] {
  return run(readSettings([], prefixed(variables), nowhere)).warnings;
}

/** The mistakes in variables and flags; none when they are good. */
export function mistakes(variables: Env, flags: readonly string[] = []): readonly string[] {
  const result = readSettings(flags, prefixed(variables), nowhere);
  return result.kind === 'mistakes' ? result.lines : [];
}

function run(result: Invocation): Extract<Invocation, { kind: 'run' }> {
  if (result.kind !== 'run') throw new Error(JSON.stringify(result));
  return result;
}
