/** What API servers of each age can do with nodes: measured on v0.2.0, v0.4.4, v0.5.6, v0.8.4, v0.13.2, v0.17.1 and v1.0.7 to v1.20.2. */
import type { Era } from './registry.ts';

/** The API versions that have served nodes, the newest first. */
export const API_VERSIONS = ['v1', 'v1beta3', 'v1beta2', 'v1beta1'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/** A server as it was asked for. */
export interface Server {
  /** From /version: `v1.20.2`; undefined where it is not known. */
  readonly version: string | undefined;
  readonly apiVersion: ApiVersion;
}

/** The era of a server, with what only its client has to know. */
export interface ServerEra extends Era {
  /** A patch that carries another node's uid is refused. */
  readonly checksUid: boolean;
}

/** Until measured otherwise, what lies between two measured releases is as the older one. */
export function eraOf({ version, apiVersion }: Server): ServerEra {
  const isAtLeast = comparison(version, apiVersion);
  // No server that serves v1beta3 or v1 hides minions, whatever it calls itself.
  const servesMinions = apiVersion === 'v1beta1' || apiVersion === 'v1beta2';
  const labels = isAtLeast(0, 13) ? 'all' : isAtLeast(0, 8) ? 'prefixed' : isAtLeast(0, 5) ? 'short' : 'none';
  const abilities = {
    hidesMinions: servesMinions && !isAtLeast(0, 9),
    canUpdate: !servesMinions || isAtLeast(0, 13),
    keepsConditions: !servesMinions || !isAtLeast(0, 10) || isAtLeast(0, 13),
    // With an unknown version, a node whose Ready is False is kept.
    falseIsReporting: isAtLeast(1, 0) || !tellsAge(version),
  };
  return {
    ...abilities,
    server: `${version ?? 'of an unknown version'}, using API ${apiVersion}`,
    abilities: [...Object.values(abilities), labels].join(),
    keepsAnnotations: !servesMinions || isAtLeast(0, 4),
    takesEvents: apiVersion === 'v1',
    checksUid: isAtLeast(1, 20),
    takesLabel: (key) =>
      labels === 'all' ||
      (labels === 'prefixed' && PREFIXED_DNS_LABEL.test(key)) ||
      (labels === 'short' && SHORT_DNS_LABEL.test(key)),
  };
}

/** DNS-952, all that v0.5.6 takes as the key of a label: a letter first, and at most 24 characters. */
const SHORT_DNS_LABEL = /^[a-z]([-a-z0-9]{0,22}[a-z0-9])?$/;
/** v0.8.4 takes `prefix/name`; the name has neither dots nor capitals. */
const PREFIXED_DNS_LABEL = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * A server of unknown version is as old as the API version that it uses suggests. A server that was built from plain source says
 * `v0.0.0-master+$Format:%h$` (v1.9.2 and v1.20.2 alike): its version is unknown.
 */
function comparison(version: string | undefined, apiVersion: ApiVersion): (major: number, minor: number) => boolean {
  const [major, minor] = ageOf(version) ?? [];
  if (major === undefined || minor === undefined) {
    const isYoung = apiVersion === 'v1' || apiVersion === 'v1beta3';
    return (wanted) => isYoung && wanted === 0;
  }
  return (wantedMajor, wantedMinor) => major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function tellsAge(version: string | undefined): boolean {
  return ageOf(version) !== undefined;
}

/** Major and minor version; undefined where the text has none. */
function ageOf(version: string | undefined): readonly [number, number] | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  if (major === undefined || minor === undefined || (major === '0' && minor === '0')) return undefined;
  return [Number(major), Number(minor)];
}
