/** The lab answers as the older releases of Kubernetes did: recorded exchanges are sent to it in their order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MadeValues, replay, type Tolerance } from '../lab/contract.ts';
import { type ApiVersion, type Kubernetes, type KubernetesVersion, startKubernetes } from '../lab/kubernetes.ts';
import { type Exchange, type RecordedRequest, readRecording } from '../lab/recording.ts';

/** Why the lab leaves an exchange out, by the exchange's name without the API version in front. */
type LeftOut = Readonly<Record<string, string>>;

interface Recording {
  readonly file: string;
  readonly version: KubernetesVersion;
  /** What was switched on, where it was more than the release's own. */
  readonly apis?: readonly ApiVersion[];
  readonly leftOut: LeftOut;
}

const WHOLE_SERVER = 'tells of the whole server: no client of ours asks for it';
const OTHER_FORM = 'a form that no client of ours asks for';
const WATCH = 'no client of ours watches';
const YAML = 'in YAML: no client of ours sends it';

const OF_V0_12: LeftOut = {
  'GET /': WHOLE_SERVER,
  'GET /apis': WHOLE_SERVER,
  'GET /healthz/': WHOLE_SERVER,
  'GET /readyz': WHOLE_SERVER,
  'GET /livez': WHOLE_SERVER,
  'create yaml body': YAML,
};

const OF_V0: LeftOut = { ...OF_V0_12, 'server-side apply patch': YAML };

const OF_V1_0: LeftOut = {
  ...OF_V0,
  'watch=true from 0': WATCH,
  'watch prefix path from 0': WATCH,
};

const OF_LATER: LeftOut = {
  ...OF_V1_0,
  'GET /api/v1': WHOLE_SERVER,
  'list as Table': OTHER_FORM,
  'list protobuf Accept': OTHER_FORM,
  'list yaml Accept': OTHER_FORM,
  'list resourceVersion=0': 'answered from a cache, in no order: no client of ours asks so',
};

/** Those of v0.13.2 and v0.17.1 are shortened: watches are gone, and what repeats an exchange that is there. */
const RECORDINGS: readonly Recording[] = [
  { file: 'v0.12.2', version: 'v0.12.2', leftOut: { ...OF_V0_12, 'GET /healthz/ping': WHOLE_SERVER } },
  { file: 'v0.13.2', version: 'v0.13.2', apis: ['v1beta1', 'v1beta2', 'v1beta3'], leftOut: OF_V0 },
  { file: 'v0.17.1', version: 'v0.17.1', leftOut: OF_V0 },
  { file: 'v0.17.1-labels', version: 'v0.17.1', leftOut: {} },
  { file: 'v1.0.7', version: 'v1.0.7', leftOut: OF_V1_0 },
  { file: 'v1.5.8', version: 'v1.5.8', leftOut: { ...OF_LATER, 'GET /healthz/ping': WHOLE_SERVER } },
  { file: 'v1.9.2', version: 'v1.9.2', leftOut: OF_LATER },
];

const exchangesOf = ({ file }: Recording) => readRecording(`kubernetes/${file}.json`);

const withoutApi = (name: string) => name.replace(/^v1(beta\d)?: /, '');

function reasonToLeaveOut({ leftOut }: Recording, { name }: Exchange): string | undefined {
  return leftOut[withoutApi(name)];
}

/** Refusals in which a parser of Go has its say, or that name values each server makes up: the lab uses words of its own. */
const IN_OTHER_WORDS = new Set([
  'list bad selector',
  'list bad continue token',
  'patch json-patch',
  'invalid JSON',
  'empty body',
  'body with wrong kind',
  'body with unknown apiVersion',
  'body of another apiVersion',
  'put with stale resourceVersion',
  'put without resourceVersion',
  'put test: minimal body without resourceVersion',
  'put test: add hostIP',
  'generateName',
  'delete precondition wrong uid',
]);

/** Where the name that the server made up for a node is seen. */
const WITH_MADE_NAME = new Set(['generateName', 'list before cleanup']);

/** What requests that are left out did, which later exchanges show. */
function makeUp(kubernetes: Kubernetes, { name, response }: Exchange): void {
  if (withoutApi(name) === 'create yaml body' && response?.status === 201) kubernetes.putNode({ name: '127.0.0.35' });
}

const MADE = ['uid', 'resourceVersion', 'continue'];
const LOOSE = [
  // Facts of that one build and host, and the time.
  ...['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'buildDate', 'goVersion'],
  ...['serverAddress', 'creationTimestamp'],
];

function toleranceFor(version: KubernetesVersion, { name }: Exchange): Tolerance {
  const shown = withoutApi(name);
  const madeName = WITH_MADE_NAME.has(shown);
  return {
    headers: ['content-type'],
    made: new Set([...MADE, ...(shown === 'generateName' ? ['name', 'id'] : [])]),
    loose: new Set([...LOOSE, ...(IN_OTHER_WORDS.has(shown) ? ['message'] : []), ...(madeName ? ['selfLink'] : [])]),
    // The recorded build of v1.5.8 glues a node's name to the path before it: /api/v1/nodes127.0.0.2.
    ignored: new Set(version === 'v1.5.8' ? ['selfLink'] : []),
  };
}

describe('the tables of this test', () => {
  it.each(RECORDINGS)('leave out of $file only what it has', (recording) => {
    const names = exchangesOf(recording).map(({ name }) => withoutApi(name));
    expect(Object.keys(recording.leftOut).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('name only what some recording has', () => {
    const names = new Set(RECORDINGS.flatMap(exchangesOf).map(({ name }) => withoutApi(name)));
    expect([...IN_OTHER_WORDS, ...WITH_MADE_NAME].filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(RECORDINGS)('leave out of $file no request that our client sends', (recording) => {
    const sent = exchangesOf(recording).filter(({ request }) => ours(request));
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter((exchange) => reasonToLeaveOut(recording, exchange) !== undefined)).toEqual([]);
  });

  it('know every request that our client sends', () => {
    const sent = RECORDINGS.flatMap(exchangesOf).filter(({ request }) => ours(request));
    const kinds = new Set(sent.map(({ request }) => `${request?.method} ${nodesPath(request?.path ?? '')?.api ?? ''}`));
    const methods = ['GET', 'POST', 'PATCH', 'DELETE'];
    const all = ['v1beta1', 'v1beta2', 'v1beta3', 'v1'].flatMap((api) => methods.map((method) => `${method} ${api}`));
    expect([...kinds].sort()).toEqual([...all, 'GET '].sort());
  });
});

/** The API version and the name in a path where our client looks for nodes: minions in v1beta1 and v1beta2, nodes later. */
function nodesPath(path: string): { api: string; name: string | undefined; query: string } | undefined {
  const groups = /^\/api\/(?<api>v1(beta\d)?)\/(?<resource>\w+)(\/(?<name>[^/?]+))?(\?(?<query>.*))?$/.exec(
    path,
  )?.groups;
  const { api = '', resource, name, query = '' } = groups ?? {};
  return resource === (/^v1beta[12]$/.test(api) ? 'minions' : 'nodes') ? { api, name, query } : undefined;
}

/** Whether our client sends such a request. */
function ours(request: RecordedRequest | undefined): boolean {
  if (request === undefined) return false;
  const { method, path, headers } = request;
  const { Accept: accept = 'application/json', 'Content-Type': type = 'application/json' } = headers;
  const asked = nodesPath(path);
  if (asked === undefined) return method === 'GET' && (path === '/version' || path === '/api');
  const plain = /^(sync=true)?$/.test(asked.query);
  switch (method) {
    case 'GET':
      if (!/^application\/json(;as=PartialObjectMetadataList;.*)?(, \*\/\*;q=0\.1)?$/.test(accept)) return false;
      return plain || (asked.name === undefined && /^limit=\d+(&continue=\w+)?$/.test(asked.query));
    case 'POST':
      return plain && asked.name === undefined && type === 'application/json';
    case 'PATCH':
      return plain && asked.name !== undefined && type === 'application/merge-patch+json';
    default:
      return plain && method === 'DELETE' && asked.name !== undefined;
  }
}

describe.each(RECORDINGS)('Kubernetes as in $file', (recording) => {
  const made = new MadeValues();
  let kubernetes: Kubernetes;
  beforeAll(async () => {
    const { version, apis } = recording;
    kubernetes = await startKubernetes({ version, ...(apis && { apis }) });
  });
  afterAll(() => kubernetes.close());

  for (const exchange of exchangesOf(recording)) {
    it(exchange.name, async ({ skip }) => {
      makeUp(kubernetes, exchange);
      const reason = reasonToLeaveOut(recording, exchange);
      if (reason !== undefined) skip(reason);
      expect(await replay(kubernetes.url, exchange, made, toleranceFor(recording.version, exchange))).toEqual([]);
    });
  }
});

const SENT_TO = ['v0.12.2', 'v0.13.2', 'v0.17.1', 'v1.0.7', 'v1.5.8', 'v1.9.2'] as const;

describe.each(SENT_TO)('Kubernetes %s and what a client takes for an answer', (version) => {
  const made = new MadeValues();
  let kubernetes: Kubernetes;
  beforeAll(async () => {
    // v1beta3 was switched on in the recorded v0.13.2.
    const { apis } = RECORDINGS.find(({ file }) => file === version) ?? {};
    kubernetes = await startKubernetes({ version, ...(apis && { apis }) });
  });
  afterAll(() => kubernetes.close());

  for (const exchange of readRecording(`kubernetes/${version}-as-sent.json`)) {
    it(exchange.name, async () => {
      expect(await replay(kubernetes.url, exchange, made, toleranceFor(version, exchange))).toEqual([]);
    });
  }
});
