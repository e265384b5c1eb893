/** The lab answers as the real servers did: recorded exchanges are sent to it in their order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MadeValues, replay, type Tolerance } from '../lab/contract.ts';
import { type Fleet, type FleetVersion, startFleet } from '../lab/fleet.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { type RecordedRequest, readRecording } from '../lab/recording.ts';

const VERSIONS: readonly FleetVersion[] = ['0.8.3', '0.11.8', '1.0.0'];

/** Why the lab leaves an exchange out, by the exchange's name. */
type LeftOut = Readonly<Record<string, string>>;

const DISCOVERY = 'discovery: no client of ours asks for it';
const UNITS = 'the lab has machines, no units';
const BARE_SOCKET = "recorded over a bare socket: node's HTTP server answers for the lab there";

const LEFT_OUT_OF_EVERY_FLEET: LeftOut = {
  'units /v1-alpha': UNITS,
  'state /v1-alpha': UNITS,
  'etcd down: discovery still works': DISCOVERY,
  'wrong method FOO machines': 'node refuses a method that it does not know before the lab sees it',
  'keep-alive: two requests on one connection': BARE_SOCKET,
  'HTTP/1.0': BARE_SOCKET,
  'HTTP/1.1 without Host': BARE_SOCKET,
  'absolute-form': BARE_SOCKET,
};

const LEFT_OUT_OF_FLEET_V1: LeftOut = {
  ...LEFT_OUT_OF_EVERY_FLEET,
  'units /fleet/v1': UNITS,
  'state /fleet/v1': UNITS,
  'discovery /v1-alpha': DISCOVERY,
  'discovery /fleet/v1': DISCOVERY,
};

const LEFT_OUT_OF_FLEET: Record<FleetVersion, LeftOut> = {
  '0.8.3': { ...LEFT_OUT_OF_EVERY_FLEET, 'discovery.json /v1-alpha': DISCOVERY },
  '0.11.8': LEFT_OUT_OF_FLEET_V1,
  '1.0.0': { ...LEFT_OUT_OF_FLEET_V1, 'path /metrics': 'the metrics of fleet itself' },
};

const WHOLE_API = 'tells of the whole API: no client of ours asks for it';
const OTHER_FORM = 'a form that no client of ours asks for';
const WATCH = 'no client of ours watches';

const LEFT_OUT_OF_KUBERNETES: LeftOut = {
  'GET /': WHOLE_API,
  'GET /apis': WHOLE_API,
  'GET /api/v1': WHOLE_API,
  'GET /healthz/': WHOLE_API,
  'v1: list as Table': OTHER_FORM,
  'v1: list protobuf Accept': OTHER_FORM,
  'v1: list yaml Accept': OTHER_FORM,
  'v1: list resourceVersion=0': 'answered from a cache, in no order: no client of ours asks so',
  'v1: watch=true from 0': WATCH,
  'v1: watch prefix path from 0': WATCH,
  'v1: server-side apply patch': 'a patch in YAML',
  'v1: create yaml body': 'a node in YAML',
};

/** What the requests in YAML did, which later exchanges show. */
const IN_YAML: Record<string, (kubernetes: Kubernetes) => void> = {
  'v1: server-side apply patch': (kubernetes) =>
    kubernetes.patchNode('127.0.0.5', { metadata: { labels: { ssa: 'yes' } } }),
  'v1: create yaml body': (kubernetes) => kubernetes.putNode({ name: '127.0.0.35' }),
};

/** Refusals by a parser of Go: the lab refuses the same in the words of its own. */
const IN_OTHER_WORDS = new Set([
  'v1: list bad selector',
  'v1: list bad continue token',
  'v1: invalid JSON',
  'v1: empty body',
  'v1: body with wrong kind',
  // These name values that each server makes up.
  'v1: delete precondition wrong uid',
  'v1: delete precondition wrong resourceVersion',
]);

const ODD_KEY = '5'.repeat(32);
const OTHER_KEY = '88888888888888888888888888888888';
const NO_ID_KEY = '66666666666666666666666666666666';
const TWICE = 'a'.repeat(32);
const WITH_HEART = { id: 'e'.repeat(32), address: '1.1.1.5' };
const SHORT_LIVED = { id: 'd'.repeat(32), address: '1.1.1.4', metadata: { role: 'kubernetes' } };

/** What happened in etcd right before the exchange whose name begins so. */
const IN_ETCD: Record<string, (fleet: Fleet) => void> = {
  'machines: with metadata, several keys': (fleet) => {
    const role = { role: 'kubernetes' };
    fleet.setMachine({ id: '98443df19015eaadebc8750284d4b84e', address: '192.168.12.228', metadata: role });
    fleet.setMachine({ id: '0000000000000000000000000000000b', address: '192.168.12.228', metadata: role });
    fleet.setMachine({ id: '9fdda2196e07a0c32d0950dd9ff4e141', address: '192.168.12.10', metadata: { role: 'etcd' } });
    fleet.setMachine({ id: '878dda96ef1dffabbd903250b83730b4', address: '192.168.12.230', metadata: {} });
    fleet.setMachine({
      id: '4a5307e5608e6e5dd7ff178a6d4870a5',
      address: '192.168.12.229',
      metadata: { role: 'kubernetes', region: 'us-west-1', az: 'us-west-1a' },
    });
    fleet.setMachine({ id: '1'.repeat(32), address: '', metadata: role });
    fleet.setMachine({ id: '2'.repeat(32) });
    fleet.setMachine({
      id: 'f'.repeat(32),
      address: '192.168.12.231',
      metadata: { 'x<y>&z': 'é "quoted"', kubernetes: '' },
    });
  },
  'machine whose state has unknown fields': (fleet) => {
    fleet.setMachine({ id: '3'.repeat(32), address: '192.168.12.240', metadata: {} });
  },
  'one machine state in etcd is not JSON': (fleet) => fleet.spoilEntry(ODD_KEY),
  'one machine state has no ID': (fleet) => {
    fleet.removeMachine(ODD_KEY);
    fleet.setMachine({ address: '192.168.12.250' }, NO_ID_KEY);
  },
  'two etcd entries that hold the same ID': (fleet) => {
    fleet.removeMachine(NO_ID_KEY);
    fleet.setMachine({ id: TWICE, address: '192.168.12.251' }, ODD_KEY);
    fleet.setMachine({ id: TWICE, address: '192.168.12.252' }, OTHER_KEY);
  },
  'paging 99 machines: page 1': (fleet) => holdOnly(fleet, 99),
  'paging 100 machines: page 1': (fleet) => holdOnly(fleet, 100),
  'paging 101 machines: page 1': (fleet) => holdOnly(fleet, 101),
  'paging 250 machines: page 1': (fleet) => holdOnly(fleet, 250),
  'changing list, 150 machines: page 1': (fleet) => holdOnly(fleet, 150),
  'changing list: page 2 after the first five': (fleet) => {
    for (let index = 0; index < 5; index++) fleet.removeMachine(idOf(index));
  },
  'changing list, 150 machines again: page 1': (fleet) => holdOnly(fleet, 150),
  'changing list: page 2 after three machines': (fleet) => {
    for (const id of ['01', '02', '03']) fleet.setMachine({ id: id.padStart(32, '0'), address: '192.168.1.1' });
  },
  'order: inserted c, a, b': (fleet) => {
    fleet.removeAllMachines();
    fleet.setMachine({ id: 'c'.repeat(32), address: '1.1.1.3' });
    fleet.setMachine({ id: 'a'.repeat(32), address: '1.1.1.1' });
    fleet.setMachine({ id: 'b'.repeat(32), address: '1.1.1.2' });
  },
  'TTL 2s: right after': (fleet) => {
    fleet.removeAllMachines();
    fleet.setMachine(SHORT_LIVED);
  },
  'TTL 2s: when it is gone': (fleet) => fleet.removeMachine(SHORT_LIVED.id),
  'etcd hangs (stopped process): first request': (fleet) => {
    fleet.setMachine(SHORT_LIVED);
    fleet.etcd = 'unreachable';
  },
  'etcd back from the hang': (fleet) => {
    fleet.etcd = 'healthy';
  },
  'etcd down (connection refused): first request': (fleet) => {
    fleet.etcd = 'unreachable';
  },
  'etcd up again': (fleet) => {
    fleet.etcd = 'healthy';
  },
  'with a heart (agent_ttl 6s): alive': (fleet) => fleet.setMachine(WITH_HEART),
  'with a heart, etcd down, at 0.0s': loseEtcd,
  'with a heart, etcd down, at 1.0s': loseEtcd,
  'with a heart, etcd down, at 4.5s': loseHeartBeat,
  'with a heart, etcd down, at 4.7s': loseHeartBeat,
  'with a heart, etcd down, at 5.8s': loseHeartBeat,
  'with a heart, etcd up again': (fleet) => {
    fleet.etcd = 'healthy';
  },
};

function loseEtcd(fleet: Fleet): void {
  fleet.etcd = 'unreachable';
}

function loseHeartBeat(fleet: Fleet): void {
  fleet.etcd = 'no heart beat';
}

function idOf(index: number): string {
  return (0x01_00_00_00 + index).toString(16).padStart(32, '0');
}

function holdOnly(fleet: Fleet, count: number): void {
  fleet.removeAllMachines();
  for (let index = 0; index < count; index++) {
    fleet.setMachine({ id: idOf(index), address: `192.168.0.${index + 1}`, metadata: { role: 'kubernetes' } });
  }
}

/** Everything in fleet's answers is compared, and its framing too. */
const FLEET_TOLERANCE: Tolerance = {
  headers: ['content-type', 'server', 'location', 'content-length', 'transfer-encoding'],
  made: new Set(),
  loose: new Set(),
  ignored: new Set(),
};

const KUBERNETES_TOLERANCE: Tolerance = {
  headers: ['content-type'],
  made: new Set(['uid', 'resourceVersion', 'continue']),
  // Facts of that one build and host, and the time.
  loose: new Set([
    ...['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'buildDate', 'goVersion'],
    ...['serverAddress', 'creationTimestamp'],
  ]),
  // The bookkeeping of server-side apply.
  ignored: new Set(['managedFields']),
};

describe('the tables of this test', () => {
  it('name only what some recording of fleet has', () => {
    const names = VERSIONS.flatMap((version) => readRecording(`fleet/v${version}.json`).map(({ name }) => name));
    expect(Object.keys(IN_ETCD).filter((start) => !names.some((name) => name.startsWith(start)))).toEqual([]);
  });

  it.each(VERSIONS)('leave out of fleet %s only what its recording has', (version) => {
    const names = readRecording(`fleet/v${version}.json`).map(({ name }) => name);
    expect(Object.keys(LEFT_OUT_OF_FLEET[version]).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('leave out of Kubernetes only what its recording has', () => {
    const names = readRecording('kubernetes/v1.20.2.json').map(({ name }) => name);
    const named = [...Object.keys(LEFT_OUT_OF_KUBERNETES), ...IN_OTHER_WORDS];
    expect(named.filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(VERSIONS)('leave out of fleet %s no request that our client sends', (version) => {
    const sent = readRecording(`fleet/v${version}.json`).filter(
      ({ request, response }) => response && ourFleet(request),
    );
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter(({ name }) => name in LEFT_OUT_OF_FLEET[version])).toEqual([]);
  });

  it('leave out of Kubernetes no request that our client sends', () => {
    const sent = readRecording('kubernetes/v1.20.2.json').filter(({ request }) => ourKubernetes(request));
    expect(new Set(sent.map(({ request }) => request?.method))).toEqual(new Set(['GET', 'POST', 'PATCH', 'DELETE']));
    expect(sent.filter(({ name }) => name in LEFT_OUT_OF_KUBERNETES)).toEqual([]);
  });
});

/** Whether our client of fleet sends such a request. */
function ourFleet(request: RecordedRequest | undefined): boolean {
  const path = /^\/(fleet\/v1|v1-alpha)\/machines(\?nextPageToken=[\w%=-]*)?$/;
  return request?.method === 'GET' && path.test(request.path);
}

/** Whether our client of Kubernetes sends such a request. */
function ourKubernetes(request: RecordedRequest | undefined): boolean {
  if (request === undefined) return false;
  const { method, path, headers } = request;
  const { Accept: accept = 'application/json', 'Content-Type': type = 'application/json' } = headers;
  const ofNode = /^\/api\/v1\/nodes\/[^/?]+$/.test(path);
  switch (method) {
    case 'GET':
      if (!/^application\/json(;as=PartialObjectMetadataList;.*)?(, \*\/\*;q=0\.1)?$/.test(accept)) return false;
      return ofNode || /^\/(version|api|api\/v1\/nodes(\?limit=\d+(&continue=\w+)?)?)$/.test(path);
    case 'POST':
      return path === '/api/v1/nodes' && type === 'application/json';
    case 'PATCH':
      return ofNode && type === 'application/merge-patch+json';
    default:
      return method === 'DELETE' && ofNode;
  }
}

describe.each(VERSIONS)('fleet %s', (version) => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({ version });
  });
  afterAll(() => fleet.close());

  for (const exchange of readRecording(`fleet/v${version}.json`)) {
    it(exchange.name, async ({ skip }) => {
      for (const [start, change] of Object.entries(IN_ETCD)) if (exchange.name.startsWith(start)) change(fleet);
      const leftOut = LEFT_OUT_OF_FLEET[version][exchange.name];
      if (leftOut !== undefined) skip(leftOut);
      expect(await replay(fleet.url, exchange, new MadeValues(), FLEET_TOLERANCE)).toEqual([]);
    });
  }
});

describe('Kubernetes v1.20.2', () => {
  const made = new MadeValues();
  let kubernetes: Kubernetes;
  beforeAll(async () => {
    kubernetes = await startKubernetes({ tokens: { admintoken: 'all', usertoken: 'none' } });
  });
  afterAll(() => kubernetes.close());

  for (const exchange of readRecording('kubernetes/v1.20.2.json')) {
    it(exchange.name, async ({ skip }) => {
      IN_YAML[exchange.name]?.(kubernetes);
      const leftOut = LEFT_OUT_OF_KUBERNETES[exchange.name];
      if (leftOut !== undefined) skip(leftOut);
      expect(await replay(kubernetes.url, exchange, made, toleranceFor(exchange.name))).toEqual([]);
    });
  }
});

describe('Kubernetes v1.20.2 on what a client may do', () => {
  let kubernetes: Kubernetes;
  beforeAll(async () => {
    kubernetes = await startKubernetes({ tokens: { admintoken: 'all', kuberegistertoken: 'all' } });
  });
  afterAll(() => kubernetes.close());

  const NOT_GRANTED = new Map([
    ['a right that is not granted', () => kubernetes.authorization.forbid('update', 'nodes')],
    ['a right in another namespace', () => kubernetes.authorization.forbid('create', 'events')],
  ]);
  /** The lab has no roles, and so does not say which of them grants a right. */
  const WITHOUT_ROLES = { ...KUBERNETES_TOLERANCE, ignored: new Set([...KUBERNETES_TOLERANCE.ignored, 'reason']) };

  for (const exchange of readRecording('kubernetes/v1.20.2-reviews.json')) {
    it(exchange.name, async () => {
      NOT_GRANTED.get(exchange.name)?.();
      const tolerance = exchange.response?.status === 201 ? WITHOUT_ROLES : KUBERNETES_TOLERANCE;
      expect(await replay(kubernetes.url, exchange, new MadeValues(), tolerance)).toEqual([]);
    });
  }
});

function toleranceFor(name: string): Tolerance {
  const { made, loose, ...rest } = KUBERNETES_TOLERANCE;
  return {
    ...rest,
    made: name === 'v1: generateName' ? new Set([...made, 'name']) : made,
    loose: IN_OTHER_WORDS.has(name) ? new Set([...loose, 'message']) : loose,
  };
}
