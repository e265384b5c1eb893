/** The values of the flags of commands: what each may be, and what is said of one that is not. */
import { quoteUnlessSecret } from '../../credentials/secret.ts';
import { parseSelector, type Selector, SelectorError } from '../../fleet/selector.ts';
import { nearMiss } from '../../settings/near-miss.ts';
import { MACHINE_HELP, NODE_HELP } from '../../status/verdict-help.ts';
import { inWords } from '../../text/names.ts';
import type { Flag } from './commands.ts';

/** Every verdict once, those of nodes first. */
export const VERDICTS: readonly string[] = [...new Set([...Object.keys(NODE_HELP), ...Object.keys(MACHINE_HELP)])];

/** The port of LISTEN, if it is not set. */
const USUAL_PORT = 10_271;

/** Why the flag cannot have this value, or undefined. */
export function valueProblem({ long, words }: Flag, value: string): string | undefined {
  if (words !== undefined)
    return words.includes(value) ? undefined : `${quoteUnlessSecret(value)}: must be ${inWords(words)}`;
  switch (long) {
    case 'daemon':
      return daemonUrl(value) === undefined
        ? `${quoteUnlessSecret(value)}: must be host:port or http://host:port`
        : undefined;
    case 'selector':
      return selectorProblem(value);
    case 'verdict':
      return verdictProblem(value);
    default:
      return value === '' ? 'needs a value' : undefined;
  }
}

/** The `http://` URL of a daemon; undefined for another text. A number alone would be an address to URL: `10271` is 0.0.40.31. */
export function daemonUrl(text: string): string | undefined {
  const url = /^http:\/\//.test(text) ? text : `http://${text}`;
  const { host = '', port } =
    /^http:\/\/(?<host>\[[^\s/?#@]+\]|[^\s/?#@:]+)(?::(?<port>\d+))?\/?$/.exec(url)?.groups ?? {};
  if (/^\d*$/.test(host) || port === '0' || !URL.canParse(url)) return undefined;
  return `http://${new URL(url).hostname}:${port ?? USUAL_PORT}`;
}

/** The verdicts of a list with commas. */
export function verdictList(text: string): readonly string[] {
  return [...new Set(text.split(',').map((word) => word.trim()))];
}

/** An empty selector leaves every machine. */
export function selectorOf(text: string | undefined): Selector | undefined {
  return text === undefined ? undefined : parseSelector(text);
}

function verdictProblem(text: string): string | undefined {
  const unknown = verdictList(text).find((word) => !VERDICTS.includes(word));
  if (unknown === undefined) return undefined;
  const near = nearMiss(unknown, VERDICTS);
  return `${quoteUnlessSecret(unknown)}: unknown verdict; ${near === undefined ? 'see kube-register help verdicts' : `did you mean ${near}?`}`;
}

function selectorProblem(text: string): string | undefined {
  try {
    parseSelector(text);
    return undefined;
  } catch (error) {
    if (error instanceof SelectorError) return `${quoteUnlessSecret(text)}: ${error.message}`;
    throw error;
  }
}
