/** What differs between the API servers that kept minions: v0.2, v0.4.4, v0.5.6, v0.8.4 and v0.9.3, as recorded. */

export type MinionsVersion = 'v0.2' | 'v0.4.4' | 'v0.5.6' | 'v0.8.4' | 'v0.9.3';

export interface Release {
  /** What /version says. */
  readonly gitVersion: string;
  readonly apis: readonly ('v1beta1' | 'v1beta2')[];
  /** Whether /api lists them. */
  readonly listsApis: boolean;
  /** `minions` alone, or `nodes` as another name of the same. */
  readonly resources: readonly string[];
  readonly pathMissing: (path: string) => string;
  /** A method that the path does not know: 404 as if there were no such path, or 405. */
  readonly methodMissing: { readonly status: number; readonly body: (path: string) => string };
  /** Whether what a client sends beside the id is kept. */
  readonly keeps: { readonly hostIp: boolean; readonly annotations: boolean; readonly labels: boolean };
  readonly labelKey: {
    readonly pattern: RegExp;
    readonly field: string;
    readonly reason: string;
    readonly word: string;
  };
  readonly hasUid: boolean;
  readonly hasRevision: boolean;
  /** Whether the answer to a create says the resourceVersion. */
  readonly createSaysRevision: boolean;
  readonly itemsHaveLinks: boolean;
  /** Whether a number of cpus becomes a text. */
  readonly cpuAsText: boolean;
  readonly emptyItems: boolean;
  readonly empty: object;
  readonly failure: 'failure' | 'Failure';
  readonly getMissing: 404 | 500;
  readonly unhealthy: string;
  /** Minions whose kubelet does not answer: not shown and not deleted, or shown with a condition that says so. */
  readonly dead: 'hidden' | 'shown';
  /** Whether /version and /api answer 406 to a client that does not take any form. */
  readonly wantsAnyForm: boolean;
  /** What a create does when the server does not reach the kubelet: asks and refuses, asks and stores all the same, does not ask. */
  readonly createAsks: 'refuses' | 'stores' | 'no';
  /** 409 for a minion that is there. */
  readonly conflicts: boolean;
  /** How long the health of minions is taken from a cache, ms. */
  readonly cacheMs: number;
  readonly operations: boolean;
}

export const NO_SUCH_RESOURCE = 'The requested resource does not exist.';

const ANY = /^/;

const V0_9: Release = {
  gitVersion: 'v0.9.3',
  apis: ['v1beta1', 'v1beta2'],
  listsApis: true,
  resources: ['minions', 'nodes'],
  pathMissing: () => '404: Page Not Found',
  methodMissing: { status: 405, body: () => '405: Method Not Allowed' },
  keeps: { hostIp: true, annotations: true, labels: true },
  labelKey: {
    pattern: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    field: 'labels',
    reason: 'FieldValueInvalid',
    word: 'invalid',
  },
  hasUid: true,
  hasRevision: true,
  createSaysRevision: false,
  itemsHaveLinks: true,
  cpuAsText: true,
  emptyItems: true,
  empty: { resources: {}, status: {} },
  failure: 'Failure',
  getMissing: 404,
  unhealthy: '',
  dead: 'shown',
  wantsAnyForm: false,
  createAsks: 'no',
  conflicts: true,
  cacheMs: 0,
  operations: true,
};

const V0_8: Release = {
  ...V0_9,
  gitVersion: 'v0.8.4',
  cpuAsText: false,
  unhealthy: 'The requested minion is not healthy.',
  dead: 'hidden',
  wantsAnyForm: true,
};

const V0_5: Release = {
  ...V0_8,
  gitVersion: 'v0.5.6',
  resources: ['minions'],
  labelKey: {
    pattern: /^[a-z]([-a-z0-9]{0,22}[a-z0-9])?$/,
    field: 'label',
    reason: 'FieldValueNotSupported',
    word: 'unsupported',
  },
  empty: { resources: {} },
  getMissing: 500,
  unhealthy: NO_SUCH_RESOURCE,
};

const V0_4: Release = {
  ...V0_5,
  gitVersion: 'v0.4.4',
  listsApis: false,
  pathMissing: (path) => `Not Found: "${path}"`,
  methodMissing: { status: 404, body: (path) => `Not Found: "${path}"` },
  keeps: { hostIp: true, annotations: true, labels: false },
  labelKey: { ...V0_5.labelKey, pattern: ANY },
  hasUid: false,
  createSaysRevision: true,
  itemsHaveLinks: false,
  emptyItems: false,
  wantsAnyForm: false,
  createAsks: 'stores',
  cacheMs: 30_000,
};

export const RELEASES: Record<MinionsVersion, Release> = {
  'v0.9.3': V0_9,
  'v0.8.4': V0_8,
  'v0.5.6': V0_5,
  'v0.4.4': V0_4,
  'v0.2': {
    ...V0_4,
    gitVersion: 'v0.2+',
    apis: ['v1beta1'],
    keeps: { hostIp: false, annotations: false, labels: false },
    hasRevision: false,
    createSaysRevision: false,
    empty: {},
    failure: 'failure',
    createAsks: 'refuses',
    conflicts: false,
    cacheMs: 0,
    operations: false,
  },
};
