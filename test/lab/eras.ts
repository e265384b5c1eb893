/** The releases of Kubernetes that the lab stands for: one row each, from new to old. */
import type { Era, KubernetesVersion } from './era.ts';
import { RULES_V0, RULES_V0_12, RULES_V1_0, RULES_V1_5, RULES_V1_9, RULES_V1_20 } from './node-rules.ts';

const NO_MORE_INFORMATION = 'but did not return more information';
const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';
const BUILT = { buildDate: '1970-01-01T00:00:00Z', goVersion: 'go1.19.8', compiler: 'gc', platform: 'linux/amd64' };
const OLD_TREE = { gitCommit: '', gitTreeState: 'not a git tree' };

const V1_20_2: Era = {
  apis: ['v1'],
  publicPaths: ['/version', '/healthz', '/healthz/ping', '/livez', '/readyz'],
  accessReviews: true,
  apiHasKind: true,
  build: {
    major: '1',
    minor: '20',
    gitCommit: 'faecb196815e248d3ecfb03c680a4507229c2a56',
    gitTreeState: 'clean',
    ...BUILT,
    buildDate: '2021-01-13T13:20:00Z',
    goVersion: 'go1.15.5',
  },
  metadataLists: 'yes',
  paging: true,
  remainingItemCount: true,
  preconditions: 'both',
  finalizers: true,
  dryRun: true,
  selectors: 'used',
  badSelector: 400,
  deletesCollections: true,
  emptyDeletion: '[]',
  deleted: 'details',
  deleteMissing: 404,
  statusPath: true,
  alwaysWrites: false,
  unconditionalUpdates: true,
  notReadyTaint: true,
  patches: 'standard',
  bodies: {
    kinds: ['Node'],
    apis: ['v1'],
    anyType: false,
    unreadable: 400,
    withoutKind: 'node',
    unknownKind: (kind, version) =>
      `no kind "${kind}" is registered for version "${version}" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`,
    resourceVersionOnCreate: 'resourceVersion should not be set on objects to be created',
    unsupported: 'application/json, application/yaml, application/vnd.kubernetes.protobuf',
  },
  nodes: {
    selfLink: false,
    externalId: undefined,
    statusAddresses: true,
    nodeInfo: [
      ...['machineID', 'systemUUID', 'bootID', 'kernelVersion', 'osImage', 'containerRuntimeVersion'],
      ...['kubeletVersion', 'kubeProxyVersion', 'operatingSystem', 'architecture'],
    ],
    daemonEndpoints: true,
    allocatable: true,
    taints: true,
    capacityIn: 'status',
    heartbeat: 'lastHeartbeatTime',
    resourceVersionOfNew: true,
  },
  rules: RULES_V1_20,
  errors: {
    resource: 'nodes',
    nameIn: 'name',
    plainRouter: false,
    fieldInCauses: false,
    bareNotAcceptable: false,
    notAcceptable: { message: '406: Not Acceptable', reason: 'NotAcceptable', details: {} },
    unsupportedPatch: { message: '415: Unsupported Media Type', reason: 'UnsupportedMediaType', details: {} },
    stale: ({ name }) => `Operation cannot be fulfilled on nodes "${name}": ${MODIFIED}`,
    nameMismatch: (inBody, inPath) =>
      `the name of the object (${inBody}) does not match the name on the URL (${inPath})`,
  },
};

// Every row that follows says how a release differs from the next one.

const V1_9_2: Era = {
  ...V1_20_2,
  publicPaths: ['/version', '/healthz', '/healthz/ping'],
  build: { major: '1', minor: '9', gitCommit: '', gitTreeState: '', ...BUILT },
  metadataLists: 'ignored',
  remainingItemCount: false,
  preconditions: 'uid',
  dryRun: false,
  emptyDeletion: 'null',
  notReadyTaint: false,
  bodies: {
    ...V1_20_2.bodies,
    unknownKind: (kind, version) => `no kind "${kind}" is registered for version "${version}"`,
    unsupported: 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  },
  nodes: { ...V1_20_2.nodes, selfLink: true, externalId: 'spec.externalID' },
  rules: RULES_V1_9,
  errors: {
    ...V1_20_2.errors,
    notAcceptable: { message: `the server responded with the status code 406 ${NO_MORE_INFORMATION}`, details: {} },
    unsupportedPatch: { message: `the server responded with the status code 415 ${NO_MORE_INFORMATION}`, details: {} },
  },
};

const V1_5_8: Era = {
  ...V1_9_2,
  accessReviews: false,
  build: { major: '1', minor: '5', gitCommit: '', gitTreeState: '', ...BUILT },
  metadataLists: '406',
  paging: false,
  badSelector: 500,
  deleted: 'code',
  bodies: {
    ...V1_9_2.bodies,
    resourceVersionOnCreate: 'resourceVersion may not be set on objects to be created',
  },
  nodes: { ...V1_9_2.nodes, taints: false },
  rules: RULES_V1_5,
  errors: {
    ...V1_9_2.errors,
    bareNotAcceptable: true,
    notAcceptable: {
      message:
        'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      reason: 'NotAcceptable',
    },
  },
};

const V1_0_7: Era = {
  ...V1_5_8,
  apiHasKind: false,
  build: { major: '1', minor: '0.7', ...OLD_TREE },
  metadataLists: 'unheard',
  preconditions: 'none',
  finalizers: false,
  deletesCollections: false,
  alwaysWrites: true,
  bodies: {
    ...V1_5_8.bodies,
    kinds: ['Node', 'Minion'],
    anyType: true,
    withoutKind: 'bare',
  },
  nodes: {
    ...V1_5_8.nodes,
    externalId: 'spec.ExternalID',
    nodeInfo: V1_5_8.nodes.nodeInfo.filter((field) => field !== 'operatingSystem' && field !== 'architecture'),
    daemonEndpoints: false,
    allocatable: false,
  },
  rules: RULES_V1_0,
  errors: {
    ...V1_5_8.errors,
    resource: 'node',
    bareNotAcceptable: false,
    notAcceptable: V1_9_2.errors.notAcceptable,
    stale: ({ name }) => `node "${name}" cannot be updated: ${MODIFIED}`,
  },
};

const V0_17_1: Era = {
  ...V1_0_7,
  apis: ['v1beta1', 'v1beta2', 'v1beta3'],
  build: { major: '0', minor: '17.1', ...OLD_TREE },
  unconditionalUpdates: false,
  bodies: { ...V1_0_7.bodies, apis: ['v1beta1', 'v1beta2', 'v1beta3'] },
  rules: RULES_V0,
  errors: {
    ...V1_0_7.errors,
    resource: 'minion',
    nameIn: 'id',
    fieldInCauses: true,
    stale: ({ name, current }) => `minion "${name}" cannot be updated: the resource was updated to ${current}`,
  },
};

const V0_13_2: Era = {
  ...V0_17_1,
  apis: ['v1beta1', 'v1beta2'],
  build: { major: '0', minor: '13.2', ...OLD_TREE },
  selectors: 'parsed',
  badSelector: 400,
  deleteMissing: 500,
  statusPath: false,
  patches: 'any',
  nodes: {
    ...V0_17_1.nodes,
    externalId: undefined,
    nodeInfo: ['machineID', 'systemUUID'],
    capacityIn: 'spec',
    heartbeat: 'lastProbeTime',
    resourceVersionOfNew: false,
  },
  errors: {
    ...V0_17_1.errors,
    plainRouter: true,
    stale: ({ name, wanted, current }) => {
      const why = wanted
        ? `101: Compare failed ([${wanted} != ${current}])`
        : `105: Key already exists (/registry/minions/${name})`;
      return `minion "${name}" cannot be updated: ${why} [${current}]`;
    },
    nameMismatch: () => 'the name of the object does not match the name on the URL',
  },
};

const V0_12_2: Era = {
  ...V0_13_2,
  publicPaths: ['/version', '/healthz'],
  build: { major: '0', minor: '12.2', ...OLD_TREE },
  selectors: 'ignored',
  patches: 'none',
  bodies: { ...V0_13_2.bodies, unreadable: 500 },
  nodes: { ...V0_13_2.nodes, nodeInfo: [], statusAddresses: false },
  rules: RULES_V0_12,
};

export const ERAS: Readonly<Record<KubernetesVersion, Era>> = {
  'v0.12.2': V0_12_2,
  'v0.13.2': V0_13_2,
  'v0.17.1': V0_17_1,
  'v1.0.7': V1_0_7,
  'v1.5.8': V1_5_8,
  'v1.9.2': V1_9_2,
  'v1.20.2': V1_20_2,
};
