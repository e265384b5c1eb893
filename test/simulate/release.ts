/** The API servers that a schedule can have: what our client relies on, as each of them treats it. */
import { eraOf, type ServerEra } from '../../src/kubernetes/era.ts';

export interface Release {
  readonly version: string;
  readonly era: ServerEra;
  readonly listsMetadata: boolean;
  readonly checksUidOnDelete: boolean;
  readonly checksVersionOnDelete: boolean;
}

/** `../lab/` holds each of them to its recording. v0.8.4 lists a minion only while its kubelet answers, and changes none. */
export const RELEASES = {
  'v1.20.2': release('v1.20.2', 'v1', { listsMetadata: true, checksUidOnDelete: true, checksVersionOnDelete: true }),
  'v1.9.2': release('v1.9.2', 'v1', { listsMetadata: false, checksUidOnDelete: true, checksVersionOnDelete: false }),
  'v1.0.7': release('v1.0.7', 'v1', { listsMetadata: false, checksUidOnDelete: false, checksVersionOnDelete: false }),
  'v0.8.4': release('v0.8.4', 'v1beta2', {
    listsMetadata: false,
    checksUidOnDelete: false,
    checksVersionOnDelete: false,
  }),
} as const;

function release(version: string, apiVersion: 'v1' | 'v1beta2', traits: Omit<Release, 'version' | 'era'>): Release {
  return { version, era: eraOf({ version, apiVersion }), ...traits };
}
