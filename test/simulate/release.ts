/** The API servers that a schedule can have: what our client relies on, as each of them treats it. */
import { type ApiVersion, eraOf, type ServerEra } from '../../src/kubernetes/era.ts';

/**
 * Who writes the condition Ready.
 * - `kubelet`: the kubelet posts it, and the node controller overwrites it when the kubelet is silent
 * - `controller`: a controller that asks the kubelet (v0.9)
 * - `nobody` (v0.10 to v0.12)
 * - `hidden`: there is none; a node is listed only while the server reaches its kubelet (before v0.9)
 */
type ConditionsBy = 'kubelet' | 'controller' | 'nobody' | 'hidden';

export interface Release {
  readonly version: string;
  readonly apiVersion: ApiVersion;
  readonly era: ServerEra;
  readonly conditionsBy: ConditionsBy;
  /** What the node controller writes for a silent kubelet. */
  readonly silentAs: 'unknown' | 'false';
  /** From v1.0 on a kubelet may report that it is not ready. */
  readonly isAtLeastV1: boolean;
  /** From v0.18 on kubelets create their nodes. */
  readonly kubeletsRegister: boolean;
  readonly listsMetadata: boolean;
  readonly checksUidOnDelete: boolean;
  readonly checksVersionOnDelete: boolean;
  readonly hasFinalizers: boolean;
  /** One release leads to another by upgrade or rollback only within a family. */
  readonly family: string;
}

const POSTED = { conditionsBy: 'kubelet', silentAs: 'unknown', family: 'nodes' } as const;
const MODERN = { ...POSTED, isAtLeastV1: true, kubeletsRegister: true, checksUidOnDelete: true } as const;
const PLAIN = {
  listsMetadata: false,
  checksUidOnDelete: false,
  checksVersionOnDelete: false,
  hasFinalizers: false,
} as const;
const MINIONS = { ...PLAIN, silentAs: 'unknown', isAtLeastV1: false, kubeletsRegister: false } as const;

/** `../lab/` holds most of them to their recordings. */
export const RELEASES: readonly Release[] = [
  release('v1.20.2', 'v1', { ...MODERN, listsMetadata: true, checksVersionOnDelete: true, hasFinalizers: true }),
  release('v1.20.15', 'v1', { ...MODERN, listsMetadata: true, checksVersionOnDelete: true, hasFinalizers: true }),
  release('v1.9.2', 'v1', { ...PLAIN, ...MODERN, hasFinalizers: true }),
  release('v1.5.8', 'v1', { ...PLAIN, ...MODERN }),
  release('v1.0.7', 'v1', { ...PLAIN, ...MODERN, checksUidOnDelete: false }),
  release('v0.19.3', 'v1', { ...PLAIN, ...POSTED, isAtLeastV1: false, kubeletsRegister: true }),
  release('v0.13.2', 'v1beta2', { ...MINIONS, ...POSTED, silentAs: 'false', family: 'v0.13' }),
  release('v0.12.2', 'v1beta2', { ...MINIONS, conditionsBy: 'nobody', family: 'minions' }),
  release('v0.9.3', 'v1beta2', { ...MINIONS, conditionsBy: 'controller', family: 'minions' }),
  release('v0.8.4', 'v1beta2', { ...MINIONS, conditionsBy: 'hidden', family: 'hidden' }),
];

function release(
  version: string,
  apiVersion: ApiVersion,
  traits: Omit<Release, 'version' | 'apiVersion' | 'era'>,
): Release {
  return { version, apiVersion, era: eraOf({ version, apiVersion }), ...traits };
}

/** The releases to which this one may be changed, itself among them. */
export function relativesOf({ family }: Release): readonly Release[] {
  return RELEASES.filter((other) => other.family === family);
}
