/** How the real server answers what our client asks: the lab must answer the same, and our client must take it right. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createHttpClient } from '../../src/http/axios-client.ts';
import type { HttpClient } from '../../src/http/http-client.ts';
import { ACCEPT_JSON, ACCEPT_METADATA_LIST } from '../../src/kubernetes/accept.ts';
import { createEventLog } from '../../src/kubernetes/events.ts';
import { createNodes } from '../../src/kubernetes/nodes.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { type Answer, Api, type Question } from './api.ts';
import { serversOfThisFile } from './servers.ts';
import { Transcript } from './transcript.ts';

const servers = serversOfThisFile();

const NODES = '/api/v1/nodes';
const EVENTS = '/api/v1/namespaces/default/events';
const OTHER_UID = '00000000-0000-4000-8000-000000000000';
const STORED = z.object({ metadata: z.object({ uid: z.string(), resourceVersion: z.string() }) });
const EVENT_LIST = z.object({ items: z.array(z.object({ message: z.string() })) });
const PAGE = z.object({ metadata: z.object({ resourceVersion: z.string(), continue: z.string().default('') }) });

/** One of the two servers, with nodes `a` to `d` that nobody has touched. */
interface Server {
  ask(path: string, question?: Omit<Question, 'token'>): Promise<Answer>;
  /** Lists that were begun before cannot be continued any more. */
  forget(): Promise<void>;
}

type Step = (server: Server) => Promise<Answer>;

async function metadataOf(server: Server, name: string) {
  return STORED.parse((await server.ask(`${NODES}/${name}`)).body).metadata;
}

function patch(server: Server, name: string, metadata: object): Promise<Answer> {
  const contentType = 'application/merge-patch+json';
  return server.ask(`${NODES}/${name}`, { method: 'PATCH', contentType, body: { metadata } });
}

function remove(server: Server, name: string, preconditions: object): Promise<Answer> {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions };
  return server.ask(`${NODES}/${name}`, { method: 'DELETE', body });
}

function writeEvent(server: Server, name: string): Promise<Answer> {
  const body = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name, namespace: 'default' },
    involvedObject: { kind: 'Node', apiVersion: 'v1', name: 'a', uid: 'a' },
    reason: 'Registered',
    message: 'registered as the node of a machine',
    type: 'Normal',
    source: { component: 'kube-register' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  };
  return server.ask(EVENTS, { method: 'POST', body });
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

function review(verb: string, namespace?: string) {
  const attributes = namespace === undefined ? { verb, resource: 'nodes' } : { verb, resource: 'events', namespace };
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    spec: { resourceAttributes: attributes },
  };
}

const CHANGE = { annotations: { 'kube-register.io/machine-id': 'f' } };

/** What is asked, and the status with which it is answered. */
const STEPS: readonly (readonly [what: string, status: number, step: Step])[] = [
  ['a patch with the right uid', 200, async (s) => patch(s, 'a', { uid: (await metadataOf(s, 'a')).uid, ...CHANGE })],
  ['a patch with another uid', 422, (s) => patch(s, 'a', { uid: OTHER_UID, ...CHANGE })],
  ['a patch without a uid', 200, (s) => patch(s, 'a', CHANGE)],
  ['a patch with an empty uid', 200, (s) => patch(s, 'a', { uid: '', ...CHANGE })],
  [
    'a patch of a node that has changed since',
    409,
    async (s) => {
      const { uid, resourceVersion } = await metadataOf(s, 'a');
      await patch(s, 'a', CHANGE);
      return patch(s, 'a', { uid, resourceVersion, labels: { zone: 'b' } });
    },
  ],
  ['a patch of no node', 404, (s) => patch(s, 'nobody', { uid: OTHER_UID, ...CHANGE })],
  ['a delete with both preconditions met', 200, async (s) => remove(s, 'a', await metadataOf(s, 'a'))],
  ['a delete with another uid', 409, async (s) => remove(s, 'a', { ...(await metadataOf(s, 'a')), uid: OTHER_UID })],
  [
    'a delete of a node that has changed since',
    409,
    async (s) => {
      const { uid, resourceVersion } = await metadataOf(s, 'a');
      await patch(s, 'a', CHANGE);
      return remove(s, 'a', { uid, resourceVersion });
    },
  ],
  ['a delete of no node', 404, (s) => remove(s, 'nobody', { uid: OTHER_UID, resourceVersion: '1' })],
  ['a list of metadata', 200, (s) => s.ask(NODES, { accept: ACCEPT_METADATA_LIST })],
  ['the first page of a list of metadata', 200, (s) => s.ask(`${NODES}?limit=2`, { accept: ACCEPT_METADATA_LIST })],
  ['the last page of it', 200, (s) => secondPage(s, ACCEPT_METADATA_LIST)],
  ['the first page of a list of whole nodes', 200, (s) => s.ask(`${NODES}?limit=2`, { accept: ACCEPT_JSON })],
  ['the last page of that', 200, (s) => secondPage(s, ACCEPT_JSON)],
  ['an Event', 201, (s) => writeEvent(s, 'a.1')],
  [
    'an Event of a name that there is already',
    409,
    async (s) => {
      await writeEvent(s, 'a.2');
      return writeEvent(s, 'a.2');
    },
  ],
  ['what one may do', 201, (s) => s.ask(REVIEWS, { method: 'POST', body: review('create') })],
  ['what one may do in a namespace', 201, (s) => s.ask(REVIEWS, { method: 'POST', body: review('create', 'default') })],
  ['the second page of a list that is forgotten', 410, (s) => secondPage(s, ACCEPT_METADATA_LIST, () => s.forget())],
];

/** The page after the first. Meanwhile a node on it is changed, which it does not show. */
async function secondPage(server: Server, accept: string, meanwhile = async () => {}): Promise<Answer> {
  const first = PAGE.parse((await server.ask(`${NODES}?limit=2`, { accept })).body).metadata;
  await patch(server, 'd', { labels: { zone: 'b' } });
  await meanwhile();
  return server.ask(`${NODES}?limit=2&continue=${encodeURIComponent(first.continue)}`, { accept });
}

describe('the lab answers as the real server does:', () => {
  let lab: Kubernetes;
  let both: { readonly real: Server; readonly lab: Server };

  beforeAll(async () => {
    const { certFile, keyFile } = await servers.authority.serverAt('lab', ['127.0.0.1']);
    const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    lab = await startKubernetes({ tls });
    const labApi = new Api(lab.url, servers.authority.caFile);
    both = {
      real: {
        ask: (path, question) => servers.askAsAdmin(path, question),
        forget: async () => servers.compactStore(PAGE.parse(await servers.admin(NODES)).metadata.resourceVersion),
      },
      lab: {
        ask: (path, question) => labApi.ask(path, { token: 'anybody', ...question }),
        forget: async () => lab.expireContinueTokens(),
      },
    };
  });
  afterAll(() => lab.close());

  beforeEach(async () => {
    for (const server of [both.real, both.lab]) {
      await server.ask(NODES, { method: 'DELETE' });
      for (const name of ['a', 'b', 'c', 'd']) {
        const { status } = await server.ask(NODES, { method: 'POST', body: { metadata: { name } } });
        expect(status).toBe(201);
      }
    }
  });

  it.each(STEPS)('%s: %i', async (_, status, step) => {
    const real = new Transcript().of(await step(both.real));
    expect(real.status).toBe(status);
    expect(new Transcript().of(await step(both.lab))).toEqual(real);
  });
});

describe('our client, where a node is not the one that was seen,', () => {
  const never = new AbortController().signal;
  const change = { labels: new Map(), annotations: new Map([['kube-register.io/machine-id', 'f']]) };
  let http: HttpClient;
  let nodes: ReturnType<typeof createNodes>;

  beforeAll(() => {
    http = createHttpClient({
      target: 'kubernetes',
      endpoint: servers.url,
      tls: { ca: readFileSync(servers.authority.caFile, 'utf8'), insecureSkipVerify: false },
      token: async () => servers.adminToken,
      timeoutMs: 10_000,
      observer: { requestDone: () => {}, requestRetried: () => {} },
      retries: { count: 0, minMs: 1, maxMs: 1, budgetMs: 1 },
    });
    nodes = createNodes(http, { version: 'v1.20.2', apiVersion: 'v1' });
  });
  afterAll(() => http.close());

  beforeEach(async () => {
    await servers.admin(NODES, { method: 'DELETE' });
    await servers.admin(NODES, { method: 'POST', body: { metadata: { name: 'a' } } });
  });

  async function seen() {
    const node = await nodes.read('a', never);
    if (node === undefined) throw new Error('there is no node');
    return node;
  }

  it('changes nothing and calls it gone', async () => {
    const before = await seen();
    expect(await nodes.update('a', OTHER_UID, before.resourceVersion, change, never)).toBe('gone');
    expect(await seen()).toEqual(before);
    expect(await nodes.update('a', before.uid, before.resourceVersion, change, never)).toBe('updated');
    expect(await nodes.update('nobody', OTHER_UID, before.resourceVersion, change, never)).toBe('gone');
  });

  it('changes nothing and calls it a conflict when it has changed since', async () => {
    const before = await seen();
    await servers.admin(`${NODES}/a`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { zone: 'b' } } },
    });
    const between = await seen();
    expect(await nodes.update('a', before.uid, before.resourceVersion, change, never)).toBe('conflict');
    expect(await seen()).toEqual(between);
    expect(await nodes.update('a', between.uid, between.resourceVersion, change, never)).toBe('updated');
  });

  it('deletes nothing and says that it has changed', async () => {
    const before = await seen();
    expect(await nodes.remove('a', OTHER_UID, before.resourceVersion, never)).toBe('changed');
    await nodes.update('a', before.uid, before.resourceVersion, change, never);
    expect(await nodes.remove('a', before.uid, before.resourceVersion, never)).toBe('changed');
    const after = await seen();
    expect(await nodes.remove('a', after.uid, after.resourceVersion, never)).toBe('removed');
    expect(await nodes.remove('a', after.uid, after.resourceVersion, never)).toBe('gone');
    expect(await nodes.read('a', never)).toBeUndefined();
  });

  it('writes an Event, and takes one that was written before for written', async () => {
    const events = createEventLog(http, () => '0123456789abcdef');
    const event = { reason: 'Registered', node: 'n'.repeat(253), message: 'm'.repeat(2_000), at: Date.now() } as const;
    await events.write(event, never);
    await events.write(event, never);
    const { items } = EVENT_LIST.parse(
      await servers.admin(`${EVENTS}?fieldSelector=involvedObject.name=${event.node}`),
    );
    expect(items.map(({ message }) => message.length)).toEqual([1_024]);
  });

  it('lets one win when two create the same, and creates nothing when it refuses labels', async () => {
    const draft = { name: 'b', address: '10.0.0.1', labels: new Map(), annotations: new Map() };
    const both = await Promise.all([nodes.create(draft, never), nodes.create(draft, never)]);
    expect(both.sort()).toEqual(['created', 'exists']);
    const labels = new Map([['zone', 'not a label value']]);
    expect(await nodes.create({ ...draft, name: 'c', labels }, never)).toBe('labels-refused');
    expect((await nodes.list(never)).nodes.map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await nodes.listWhole(never)).nodes.map(({ facts }) => facts?.addresses)).toEqual([[], ['10.0.0.1']]);
  });
});
