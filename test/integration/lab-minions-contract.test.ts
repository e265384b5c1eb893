/** The lab's API servers of 2014 and early 2015 answer as the real ones did: recorded exchanges are sent to them in their order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MadeValues, replay, type Tolerance } from '../lab/contract.ts';
import { type Kubelets, startKubelets } from '../lab/kubelets.ts';
import { type Minions, type MinionsVersion, startMinions } from '../lab/minions/server.ts';
import { type Exchange, type RecordedRequest, readRecording } from '../lab/recording.ts';

const VERSIONS: readonly MinionsVersion[] = ['v0.2', 'v0.4.4', 'v0.5.6', 'v0.8.4', 'v0.9.3'];
/** Those that were recorded with health checks and without. */
const HIDING = ['v0.2', 'v0.4.4', 'v0.5.6', 'v0.8.4'] as const;

/** Why exchanges are left out, by a pattern of their names. */
const LEFT_OUT: readonly (readonly [pattern: RegExp, why: string])[] = [
  [
    /^GET (\/|\/apis|\/healthz\/.*|\/api\/v.*|\/readyz|\/livez)$/,
    'tells of the whole server: no client of ours asks for it',
  ],
  [/^v1(beta3)?: /, 'an API version that these servers do not have'],
  [/watch/, 'no client of ours watches'],
  [/: (get before )?put|PUT|: get after put/, 'no client of ours replaces a minion'],
  [/HEAD|POST to item/, 'a method that no client of ours uses there'],
  [/: (invalid JSON|empty body|empty object|no name|empty name|body (with|of))/, 'a body that no client of ours sends'],
  [/yaml|protobuf|text\/html/, 'a form that no client of ours asks for or sends'],
];

/** What requests that are left out did, which later exchanges show: by version and the end of the name. */
const UNSEEN: Partial<Record<MinionsVersion | 'any', Record<string, (server: Minions) => void>>> = {
  any: { 'create yaml body': (server) => server.putMinion({ id: '127.0.0.35' }) },
  'v0.2': { 'body without kind/apiVersion': (server) => server.putMinion({ id: '127.0.0.22' }) },
  'v0.4.4': {
    'body without kind/apiVersion': (server) => server.putMinion({ id: '127.0.0.22' }),
    'v1beta2: delete (async) (operation)': (server) => server.deleteMinion('127.0.0.2'),
  },
  'v0.9.3': {
    'body with other kind name (Node<->Minion)': (server) => server.putMinion({ id: '127.0.0.23' }),
    'body of another apiVersion': (server) => server.putMinion({ id: '127.0.0.25' }),
  },
  'v0.8.4': { 'body with other kind name (Node<->Minion)': (server) => server.putMinion({ id: '127.0.0.23' }) },
};

function catchUp(server: Minions, { name }: Exchange): void {
  const table = { ...UNSEEN.any, ...UNSEEN[server.version] };
  for (const [end, act] of Object.entries(table)) if (name.endsWith(end)) act(server);
}

const TOLERANCE: Tolerance = {
  headers: ['content-type'],
  made: new Set(['uid']),
  loose: new Set(['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'creationTimestamp', 'resourceVersion']),
  ignored: new Set(),
};

function leftOut({ name }: Exchange, version?: MinionsVersion): string | undefined {
  // It took longer than 25 ms by chance.
  if (version === 'v0.4.4' && name.startsWith('v1beta2: delete (async)'))
    return 'as a slow store answers, recorded apart';
  return LEFT_OUT.find(([pattern]) => pattern.test(name))?.[1];
}

/** The items of a list in the order of their ids: the real servers have them in none. */
function inOrder(exchange: Exchange): Exchange {
  const { response } = exchange;
  if (response === undefined || !response.body.includes('"MinionList"')) return exchange;
  const list = JSON.parse(response.body);
  for (const key of ['minions', 'items']) {
    list[key]?.sort((a: { id?: string }, b: { id?: string }) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1));
  }
  return { ...exchange, response: { ...response, body: JSON.stringify(list) } };
}

/** Whether our client sends such a request. */
function isOurs(request: RecordedRequest | undefined): boolean {
  if (request === undefined) return false;
  const { method, path, headers } = request;
  if (!/^application\/json(, \*\/\*;q=0\.1)?$/.test(headers['Accept'] ?? headers['Content-Type'] ?? 'application/json'))
    return false;
  if (method === 'GET') return /^\/(version|api|api\/v1beta[12]\/minions(\/[\w.-]+)?)$/.test(path);
  return method === 'POST' && /^\/api\/v1beta[12]\/minions(\?sync=true)?$/.test(path);
}

describe('the table of this test', () => {
  const all = VERSIONS.flatMap((version) => readRecording(`kubernetes/${version}.json`));

  it('names only what is recorded', () => {
    const unused = LEFT_OUT.filter(([pattern]) => !all.some(({ name }) => pattern.test(name)));
    expect(unused.map(([pattern]) => pattern)).toEqual([]);
  });

  it('leaves out no request that our client sends, but for bodies and names that it never sends', () => {
    const wanting = all.filter((exchange) => isOurs(exchange.request) && leftOut(exchange) !== undefined);
    const strange = /: (invalid JSON|empty|no name|body |create name a\/b|get before put|get after put|list after)/;
    expect(wanting.map(({ name }) => name).filter((name) => !strange.test(name))).toEqual([]);
  });
});

describe.each(VERSIONS)('Kubernetes %s without kubelets', (version) => {
  const made = new MadeValues();
  let server: Minions;
  beforeAll(async () => {
    // v0.9.3 was recorded with its health checks, which nothing answered.
    server = await startMinions({ version, kubeletPort: 1, healthChecks: version === 'v0.9.3' });
    // "-machines", without which v0.2 does not start.
    if (version === 'v0.2') server.putMinion({ id: '127.0.0.250' });
  });
  afterAll(() => server.close());

  for (const exchange of readRecording(`kubernetes/${version}.json`)) {
    it(exchange.name, async ({ skip }) => {
      catchUp(server, exchange);
      const why = leftOut(exchange, version);
      if (why !== undefined) skip(why);
      expect(await replay(server.url, inOrder(exchange), made, TOLERANCE)).toEqual([]);
    });
  }
});

const HEALTHY = '127.0.0.2';

describe.each(HIDING)('Kubernetes %s that asks kubelets', (version) => {
  const made = new MadeValues();
  let kubelets: Kubelets;
  let server: Minions;
  beforeAll(async () => {
    kubelets = await startKubelets();
    await kubelets.add(HEALTHY);
    server = await startMinions({ version, kubeletPort: kubelets.port });
  });
  afterAll(() => Promise.all([server.close(), kubelets.close()]));

  for (const exchange of readRecording(`kubernetes/${version}-healthcheck-default.json`)) {
    it(exchange.name, async () => {
      // v0.2 prints its own memory there.
      const loose = exchange.response?.body.includes('unable to add minion') ? ['message'] : [];
      const tolerance = { ...TOLERANCE, loose: new Set([...TOLERANCE.loose, ...loose]) };
      expect(await replay(server.url, inOrder(exchange), made, tolerance)).toEqual([]);
    });
  }
});

describe.each(['v0.4.4', 'v0.8.4'] as const)('Kubernetes %s whose kubelet comes and goes', (version) => {
  const made = new MadeValues();
  const exchanges = readRecording(`kubernetes/${version}-healthcheck-later.json`).filter(
    ({ request }) => request?.path,
  );
  let now = 0;
  let kubelets: Kubelets;
  let server: Minions;
  beforeAll(async () => {
    kubelets = await startKubelets();
    server = await startMinions({ version, kubeletPort: kubelets.port, clock: () => now });
  });
  afterAll(() => Promise.all([server.close(), kubelets.close()]));

  for (const [index, exchange] of exchanges.entries()) {
    it(`${exchange.name}, ${index}`, async () => {
      const address = version === 'v0.4.4' ? '127.0.0.60' : '127.0.0.62';
      const [, seconds = '0'] = /\+([\d.]+)s$/.exec(exchange.name) ?? [];
      now = Number(seconds) * 1_000;
      const kubelet = kubelets.at(address);
      if (exchange.name.startsWith('kubelet up') && kubelet === undefined) await kubelets.add(address);
      if (exchange.name.startsWith('kubelet gone')) await kubelet?.stop();
      expect(await replay(server.url, inOrder(exchange), made, TOLERANCE)).toEqual([]);
    });
  }
});

describe.each(['v0.4.4', 'v0.8.4'] as const)('Kubernetes %s with a slow store', (version) => {
  const made = new MadeValues();
  const exchanges = readRecording(`kubernetes/${version}-slowstore.json`);
  const [, first = '1'] = /"id": ?"(\d+)"/.exec(exchanges[0]?.response?.body ?? '') ?? [];
  let server: Minions;
  beforeAll(async () => {
    server = await startMinions({ version, kubeletPort: 1, healthChecks: false });
    // What was recorded before left one behind.
    server.putMinion({ id: 'a/b' });
    server.slowStore = true;
  });
  afterAll(() => server.close());

  for (const exchange of exchanges) {
    it(exchange.name, async ({ skip }) => {
      if (exchange.name.endsWith('list operations')) skip('no client of ours lists operations');
      if (exchange.name === 'cleanup') server.slowStore = false;
      expect(await replay(server.url, inOrder(renumbered(exchange, Number(first))), made, TOLERANCE)).toEqual([]);
    });
  }
});

/** With the first operation as number 1. */
function renumbered(exchange: Exchange, first: number): Exchange {
  const { request, response } = exchange;
  if (request === undefined || response === undefined) return exchange;
  const path = request.path.replace(/(?<=operations\/)\d+/, (id) => String(Number(id) - first + 1));
  const body = response.body.replace(/(?<="id": ?")\d+(?=")/g, (id) => String(Number(id) - first + 1));
  return { ...exchange, request: { ...request, path }, response: { ...response, body } };
}

describe.each(VERSIONS)('Kubernetes %s and what a client takes for an answer', (version) => {
  const made = new MadeValues();
  let server: Minions;
  beforeAll(async () => {
    server = await startMinions({ version, kubeletPort: 1 });
    // "-machines", without which v0.2 does not start.
    if (version === 'v0.2') server.putMinion({ id: '127.0.0.250' });
  });
  afterAll(() => server.close());

  for (const exchange of readRecording(`kubernetes/${version}-as-sent.json`)) {
    it(exchange.name, async () => {
      const loose = exchange.response?.body.includes('unable to add minion') ? ['message'] : [];
      const tolerance = { ...TOLERANCE, loose: new Set([...TOLERANCE.loose, ...loose]) };
      expect(await replay(server.url, inOrder(exchange), made, tolerance)).toEqual([]);
    });
  }
});

describe('Kubernetes v0.5.6 and labels', () => {
  const made = new MadeValues();
  let server: Minions;
  beforeAll(async () => {
    server = await startMinions({ version: 'v0.5.6', kubeletPort: 1, healthChecks: false });
  });
  afterAll(() => server.close());

  for (const exchange of readRecording('kubernetes/v0.5.6-labels.json')) {
    it(exchange.name, async ({ skip }) => {
      if (exchange.request?.method === 'PUT') skip('no client of ours replaces a minion');
      expect(await replay(server.url, inOrder(exchange), made, TOLERANCE)).toEqual([]);
    });
  }
});
