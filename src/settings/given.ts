/** Collects the flags and environment variables that were given, before their values are parsed. */

import { mayBeSecret, NOT_SHOWN, quoteUnlessSecret, unlessSecret } from '../credentials/secret.ts';
import type { Env } from './api-server.ts';
import { nearMiss } from './near-miss.ts';
import { ENV_PREFIX, envName, flagName, isSettingName, rowOf, type SettingName, settingNames } from './table.ts';
import { file, trueOrFalse } from './values.ts';

interface Given {
  /** As the operator wrote it: `KUBE_REGISTER_METADATA`, `--metadata` or `-metadata`. */
  readonly written: string;
  readonly text: string;
}

/** What was given of each setting; one that is not here has its default. */
export type GivenSettings = ReadonlyMap<SettingName, Given>;

export interface Found {
  readonly given: GivenSettings;
  /** One line for each thing that is no setting. */
  readonly mistakes: readonly string[];
}

/** The flags win over the environment. Values are trimmed; an empty one stands for the default, or for what its row says. */
export function findGiven(argv: readonly string[], env: Env): Found {
  const flags = readFlags(argv);
  const variables = readVariables(env);
  const given = new Map<SettingName, Given>();
  for (const [name, one] of [...variables.given, ...flags.given]) {
    if (one.text !== '' || rowOf(name).empty !== undefined) given.set(name, one);
    else given.delete(name);
  }
  return { given, mistakes: [...variables.mistakes, ...flags.mistakes] };
}

/**
 * What Kubernetes puts into the environment of every pod beside a Service called kube-register, after the prefix:
 * https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
 */
const INJECTED = /^(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\d+_.*)$/s;
/** The same for a Service whose name begins so, such as kube-register-metrics. */
const INJECTED_FOR_ANOTHER =
  /^[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
/** That one alone could be a setting, and is one for a Service kube-register-healthz: its value is never a port. */
const INJECTED_URL = /^(tcp|udp|sctp):\/\/\S+$/;

function isInjected(name: string, text: string): boolean {
  if (INJECTED.test(name) || INJECTED_FOR_ANOTHER.test(name)) return true;
  return name.endsWith('_PORT') && INJECTED_URL.test(text);
}

function readVariables(env: Env): { given: GivenSettings; mistakes: string[] } {
  const given = new Map<SettingName, Given>();
  const mistakes: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(ENV_PREFIX)) continue;
    const name = variable.slice(ENV_PREFIX.length);
    if (isInjected(name, text)) continue;
    if (isSettingName(name)) given.set(name, { written: variable, text: text.trim() });
    else mistakes.push(unknown(variable, nearMiss(name.toUpperCase(), settingNames), envName));
  }
  return { given, mistakes };
}

/** A flag with one dash or two, as those of the Go program; parseArgs of node:util takes no long flag with one dash. */
export const FLAG = /^(?<written>--?(?<name>[^=]+))(?:=(?<value>.*))?$/s;

/** The name that a setting with this flag, given without its dashes, has or would have. */
export function asSettingName(flag: string): string {
  return flag.toUpperCase().replaceAll('-', '_');
}

/** The setting of a flag, which is given without its dashes. */
export function settingOfFlag(flag: string): SettingName | undefined {
  const name = asSettingName(flag);
  return isSettingName(name) && flagName(name) === `--${flag}` ? name : undefined;
}

/** Whether the argument behind a flag without `=` is its value. A switch takes only what is true or false. */
export function takesNext(name: SettingName, next: string | undefined): boolean {
  if (next === undefined) return false;
  return rowOf(name).kind === 'switch' ? trueOrFalse().safeParse(next).success : !next.startsWith('-');
}

function readFlags(argv: readonly string[]): Found {
  const given = new Map<SettingName, Given>();
  const mistakes: string[] = [];
  const queue = [...argv];
  for (let argument = queue.shift(); argument !== undefined; argument = queue.shift()) {
    const { written, name: flag = '', value } = (argument === '--' ? undefined : FLAG.exec(argument)?.groups) ?? {};
    if (written === undefined) {
      // A forgotten dash must not show the value behind the name.
      mistakes.push(
        `${quoteUnlessSecret(argument.replace(/=.*/s, '=…'))}: is not a flag; settings are given as --name=value`,
      );
      continue;
    }
    const name = settingOfFlag(flag);
    if (name === undefined) {
      const near = nearMiss(asSettingName(flag), [...settingNames, 'HELP', 'VERSION']);
      mistakes.push(unknown(written, near, flagName));
      // What follows is most likely its value. It is not a mistake of its own, and may be a secret.
      if (value === undefined && queue[0]?.startsWith('-') === false) queue.shift();
      continue;
    }
    const text = (value ?? followingValue(name, queue))?.trim();
    const before = given.get(name);
    if (text === undefined) mistakes.push(`${written}: needs a value, as in ${written}=value`);
    else if (before !== undefined && before.text !== text)
      mistakes.push(`${written}: is given twice, with different values`);
    else given.set(name, { written, text });
  }
  return { given, mistakes };
}

/** Takes the value of a flag without `=` from the arguments behind it; undefined when there is none. */
function followingValue(name: SettingName, queue: string[]): string | undefined {
  if (takesNext(name, queue[0])) return queue.shift();
  return rowOf(name).kind === 'switch' ? 'true' : undefined;
}

function unknown(written: string, near: string | undefined, spell: (name: string) => string): string {
  const advice = near === undefined ? 'see kube-register help settings' : `did you mean ${spell(near)}?`;
  return `${shownName(written)}: unknown setting; ${advice}`;
}

/** A name as it was written, in quotes where it is not like one; not at all where it may be a secret. */
export function shownName(written: string): string {
  return /^[\w-]{1,64}$/.test(written) && !mayBeSecret(written) ? written : quoteUnlessSecret(written);
}

/** One line for a value that its setting does not take. */
export function mistake(name: SettingName, given: GivenSettings, sentence: string): string {
  const one = given.get(name);
  if (one === undefined) return `${envName(name)}: ${sentence}`;
  // Where the path of a file belongs, anything else may be what the file should hold: a token or a key.
  const isMisplaced = rowOf(name).kind === 'file' && !file().safeParse(one.text).success;
  return `${one.written}=${isMisplaced ? NOT_SHOWN : quoteUnlessSecret(one.text)}: ${withoutSecrets(sentence)}`;
}

/** What is wrong with a value may quote a part of it. */
function withoutSecrets(sentence: string): string {
  return sentence.replace(/"(?:[^"\\]|\\.)*"/g, unlessSecret);
}
