/** What the command line can ask for. */
import type { Selector } from '../../fleet/selector.ts';
import type { CommandName, Topic } from './commands.ts';
import type { ManifestName } from './manifests.ts';

/** `wide` has columns and steps that `text` leaves out; `name` is one name a line, for xargs. */
export type OutputFormat = 'text' | 'wide' | 'json' | 'yaml' | 'name';

/** Which rows `status` shows; a row must meet all of them. Empty and undefined leave all. */
export interface StatusFilter {
  /** IDs of machines or their first characters, names of nodes, addresses. */
  readonly names: readonly string[];
  readonly verdicts: readonly string[];
  /** Only rows that need attention. */
  readonly trouble: boolean;
  readonly selector: Selector | undefined;
}

/** The URL of the daemon to read from, where it is given. */
interface Asks {
  readonly daemon?: string;
}

export type Command =
  | { readonly name: 'daemon' }
  | { readonly name: 'version' }
  | { readonly name: 'help'; readonly topic: Topic | undefined }
  | { readonly name: 'check'; readonly output: 'text' | 'json'; readonly unit: string | undefined }
  | ({ readonly name: 'status'; readonly output: OutputFormat; readonly watch: boolean } & StatusFilter & Asks)
  | ({ readonly name: 'explain'; readonly output: 'text' | 'json' | 'yaml'; readonly subject: string } & Asks)
  | { readonly name: 'plan'; readonly output: OutputFormat }
  | { readonly name: 'manifests'; readonly manifests: readonly ManifestName[] }
  | { readonly name: 'completion'; readonly shell: 'bash' | 'zsh' };

/** The commands that need settings and connections. */
export type SettingsCommand = Extract<Command, { readonly name: 'check' | 'status' | 'explain' | 'plan' }>;

/** The command of a name. */
export type Asked<Name extends CommandName> = Extract<Command, { readonly name: Name }>;
