/** The nodes of a v1 API server, against the lab's and against servers that lie, break off or refuse. */
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HttpClient } from '../../src/http/http-client.ts';
import { RequestError } from '../../src/http/request-error.ts';
import type { Server } from '../../src/kubernetes/era.ts';
import { createNodes } from '../../src/kubernetes/nodes.ts';
import type { MetadataChange, NodeDraft } from '../../src/kubernetes/registry.ts';
import type { Answer } from '../lab/answer.ts';
import { answerWith, change, type Fault, flood, hang, loseAnswer, redirectTo, truncate } from '../lab/faults.ts';
import { type Kubernetes, type KubernetesOptions, startKubernetes } from '../lab/kubernetes.ts';
import { clientOf } from './client.ts';
import { serveHttp } from './loopback.ts';

const ACCEPT = 'application/json, */*;q=0.1';
const ACCEPT_METADATA = `application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,${ACCEPT}`;
const never = new AbortController().signal;

const V1_20: Server = { version: 'v1.20.2', apiVersion: 'v1' };

async function lab(
  options: KubernetesOptions & { token?: string; server?: Server } = {},
): Promise<{ kubernetes: Kubernetes; nodes: ReturnType<typeof createNodes> }> {
  const kubernetes = await startKubernetes(options);
  onTestFinished(() => kubernetes.close());
  const http = clientOf('kubernetes', kubernetes.url, { token: options.token });
  return { kubernetes, nodes: createNodes(http, options.server ?? V1_20) };
}

async function errorOf(attempt: Promise<unknown>): Promise<RequestError> {
  const error: unknown = await attempt.then(
    (outcome) => expect.fail(`no error but ${inspect(outcome)}`),
    (reason) => reason,
  );
  if (!(error instanceof RequestError)) throw error;
  return error;
}

function addNodes(kubernetes: Kubernetes, count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => `node-${String(index).padStart(4, '0')}`);
  for (const name of names) kubernetes.putNode({ name, addresses: ['10.0.0.1'], ready: true });
  return names;
}

/** Changes a JSON answer on its way. */
function edited(edit: (body: Record<string, unknown>) => object) {
  return change((answer: Answer) => ({ ...answer, body: JSON.stringify(edit(JSON.parse(answer.body))) }));
}

/** Refuses as an API server does. */
function refuse(code: number, reason: string, message: string, details: object = {}): Fault {
  return answerWith(
    code,
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, details, code }),
  );
}

const draft: NodeDraft = {
  name: '10.0.0.7',
  address: '10.0.0.7',
  labels: new Map([['role', 'worker']]),
  annotations: new Map([['kube-register.io/machine-id', 'abc']]),
};

const relabel: MetadataChange = {
  labels: new Map([
    ['role', 'master'],
    ['rack', null],
  ]),
  annotations: new Map([['kube-register.io/address', '10.0.0.7']]),
};

describe('listing nodes', () => {
  it('reads every page of their metadata, and asks for nothing that may be old', async () => {
    const { kubernetes, nodes } = await lab();
    const names = addNodes(kubernetes, 1200);
    const records = (await nodes.list(never)).nodes;
    expect(records.map(({ name }) => name)).toEqual(names);
    expect(records.every(({ facts }) => facts === undefined)).toBe(true);
    const queries = kubernetes.log.entries.map(({ path }) => new URL(path, 'http://lab').searchParams);
    expect(queries.map((query) => [query.get('limit'), query.has('continue'), query.has('resourceVersion')])).toEqual([
      ['500', false, false],
      ['500', true, false],
      ['500', true, false],
    ]);
    expect(new Set(kubernetes.log.entries.map(({ headers }) => headers.accept))).toEqual(new Set([ACCEPT_METADATA]));
  });

  it('reads them whole when that is asked for', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.selfRegister('node-a', 'f00d', ['10.0.0.1', 'fd00::1']);
    kubernetes.patchNode('node-a', { spec: { unschedulable: true } });
    kubernetes.putNode({ name: 'node-b', labels: { role: 'x' }, annotations: { a: 'b' }, ready: 'unknown' });
    expect((await nodes.listWhole(never)).nodes).toEqual([
      {
        name: 'node-a',
        uid: kubernetes.node('node-a')?.metadata.uid,
        resourceVersion: kubernetes.node('node-a')?.metadata.resourceVersion,
        labels: new Map([['kubernetes.io/hostname', 'node-a']]),
        annotations: new Map(),
        leaving: undefined,
        facts: { machineId: 'f00d', addresses: ['10.0.0.1', 'fd00::1'], ready: 'true', unschedulable: true },
      },
      expect.objectContaining({
        labels: new Map([['role', 'x']]),
        annotations: new Map([['a', 'b']]),
        facts: { machineId: '', addresses: [], ready: 'unknown', unschedulable: false },
      }),
    ]);
    expect(kubernetes.log.entries.map(({ headers }) => headers.accept)).toEqual([ACCEPT]);
  });

  it('of which there are none gives none', async () => {
    const { nodes } = await lab();
    expect((await nodes.list(never)).nodes).toEqual([]);
    expect((await nodes.listWhole(never)).nodes).toEqual([]);
  });

  it('asks a server that refuses to list metadata for whole nodes, and does not try that again', async () => {
    const { kubernetes, nodes } = await lab({ metadataLists: '406', version: 'v1.5.8', paging: false });
    addNodes(kubernetes, 3);
    expect((await nodes.list(never)).nodes).toHaveLength(3);
    expect((await nodes.list(never)).nodes[0]?.facts).toMatchObject({ ready: 'true' });
    expect(kubernetes.log.entries.map(({ headers }) => headers.accept)).toEqual([ACCEPT_METADATA, ACCEPT, ACCEPT]);
  });

  it('takes whole nodes from a server that does not know lists of metadata', async () => {
    const { kubernetes, nodes } = await lab({ metadataLists: 'ignored', version: 'v1.9.2' });
    addNodes(kubernetes, 600);
    const records = (await nodes.list(never)).nodes;
    expect(records).toHaveLength(600);
    expect(records.every(({ facts }) => facts?.ready === 'true')).toBe(true);
  });

  it('takes everything at once from a server that does not page', async () => {
    const { kubernetes, nodes } = await lab({ paging: false });
    addNodes(kubernetes, 1200);
    expect((await nodes.list(never)).nodes).toHaveLength(1200);
    expect(kubernetes.log.total).toBe(1);
  });

  it('counts a node that is on two pages once, as it was last seen', async () => {
    const { kubernetes, nodes } = await lab();
    addNodes(kubernetes, 501);
    const again = { metadata: { name: 'node-0000', uid: 'made-anew', resourceVersion: '9' } };
    kubernetes.faults.add(
      edited((body) => ({ ...body, items: [again] })),
      { path: /continue=/ },
    );
    const records = (await nodes.list(never)).nodes;
    expect(records).toHaveLength(500);
    expect(records.find(({ name }) => name === 'node-0000')?.uid).toBe('made-anew');
  });

  it('begins anew when its pages have expired, also with a node that came meanwhile', async () => {
    const { kubernetes, nodes } = await lab();
    const names = addNodes(kubernetes, 600);
    kubernetes.faults.add(
      (response, handle) => {
        kubernetes.putNode({ name: 'newcomer' });
        kubernetes.expireContinueTokens();
        const { status, body } = handle();
        answerWith(status, body)(response, handle);
      },
      { path: /continue=/, times: 1 },
    );
    expect((await nodes.list(never)).nodes.map(({ name }) => name)).toEqual(['newcomer', ...names].sort());
    expect(kubernetes.log.total).toBe(4);
  });

  it('gives up when its pages expire again and again', async () => {
    const { kubernetes, nodes } = await lab();
    addNodes(kubernetes, 600);
    kubernetes.faults.add(refuse(410, 'Expired', 'too old'), { path: /continue=/ });
    const error = await errorOf(nodes.list(never));
    expect(error).toMatchObject({ status: 410, code: 'Expired' });
    expect(kubernetes.log.of({ path: /limit=500$/ })).toHaveLength(3);
  });

  it('does not begin anew when the first page is gone', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(refuse(410, 'Gone', 'gone'));
    expect(await errorOf(nodes.list(never))).toMatchObject({ status: 410 });
    expect(kubernetes.log.total).toBe(1);
  });

  it('begins anew when a page is of another kind than those before it', async () => {
    const { kubernetes, nodes } = await lab();
    addNodes(kubernetes, 600);
    const otherKind = edited((body) => ({ ...body, kind: 'NodeList' }));
    kubernetes.faults.add(otherKind, { path: /continue=/, times: 1 });
    expect((await nodes.list(never)).nodes).toHaveLength(600);
    kubernetes.faults.add(otherKind, { path: /continue=/ });
    expect((await errorOf(nodes.list(never))).message).toMatch(
      /page 2 is a NodeList, the earlier pages are a PartialObjectMetadataList$/,
    );
  });

  it('fails when pages lead in a circle', async () => {
    const { kubernetes, nodes } = await lab();
    const page = { kind: 'NodeList', metadata: { continue: 'round' }, items: [] };
    kubernetes.faults.add(answerWith(200, JSON.stringify(page)));
    expect((await errorOf(nodes.list(never))).message).toMatch(/page 2 repeats the token of an earlier page$/);
  });

  it('fails when pages never end', async () => {
    let page = 0;
    const server = await serveHttp((_request, response) => {
      page += 1;
      response.end(JSON.stringify({ kind: 'NodeList', metadata: { continue: `to-${page}` }, items: [] }));
    });
    const nodes = createNodes(clientOf('kubernetes', `http://127.0.0.1:${server.port}`), V1_20);
    expect((await errorOf(nodes.list(never))).message).toMatch(/has more than 1000 pages$/);
    expect(page).toBe(1000);
  });

  it('fails when its pages are together larger than 128 MiB', async () => {
    const { kubernetes } = await lab();
    addNodes(kubernetes, 1200);
    const http = clientOf('kubernetes', kubernetes.url);
    const allowed: number[] = [];
    const heavy: HttpClient = {
      ...http,
      send: async (request) => {
        allowed.push(request.maxBytes);
        return { ...(await http.send(request)), bytes: 70 * 1024 * 1024 };
      },
    };
    const error = await errorOf(createNodes(heavy, V1_20).list(never));
    expect(error.message).toMatch(/the list of nodes is larger than 134217728 bytes$/);
    expect(allowed).toEqual([134217728, 134217728 - 70 * 1024 * 1024]);
  });

  it.each([
    ['whose body ends too early', truncate],
    ['that is no JSON', answerWith(200, '<html>')],
    ['that is empty', answerWith(200)],
    ['that is no list', answerWith(200, '[]')],
    ['that is a Status', refuse(200, '', '')],
    ['of pods', edited((body) => ({ ...body, kind: 'PodList' }))],
    ['whose items are an object', edited((body) => ({ ...body, items: {} }))],
    ['with 204', answerWith(204)],
    ['with 503', answerWith(503, 'unavailable')],
  ])('fails on an answer %s, on any page', async (_, fault) => {
    const { kubernetes, nodes } = await lab();
    addNodes(kubernetes, 501);
    const lift = kubernetes.faults.add(fault, { path: /continue=/ });
    expect(await errorOf(nodes.list(never))).toBeInstanceOf(RequestError);
    lift();
    expect((await nodes.list(never)).nodes).toHaveLength(501);
    kubernetes.faults.add(fault);
    expect(await errorOf(nodes.list(never))).toBeInstanceOf(RequestError);
  });

  it.each([
    ['no uid', { name: 'x' }, 'items[1].metadata.uid'],
    ['no name', { uid: 'x' }, 'items[1].metadata.name'],
    ['labels that are no texts', { name: 'x', uid: 'x', labels: { a: 1 } }, 'items[1].metadata.labels.a'],
  ])('fails when one node has %s, and says which', async (_, metadata, where) => {
    const { kubernetes, nodes } = await lab();
    const items = [{ metadata: { name: 'a', uid: 'b' } }, { metadata }];
    kubernetes.faults.add(answerWith(200, JSON.stringify({ kind: 'NodeList', items })));
    expect((await errorOf(nodes.list(never))).message).toContain(`unexpected JSON at ${where}: `);
  });

  it('fails when metadata comes where whole nodes were asked for', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(edited((body) => ({ ...body, kind: 'PartialObjectMetadataList' })));
    expect((await errorOf(nodes.listWhole(never))).message).toMatch(/requested a NodeList, received a Partial\w+$/);
  });

  it('fails when even plain JSON is not acceptable', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(refuse(406, 'NotAcceptable', 'no'));
    expect(await errorOf(nodes.list(never))).toMatchObject({ status: 406, code: 'NotAcceptable' });
    expect(kubernetes.log.total).toBe(2);
  });

  it('ends at once when it is aborted', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(hang);
    const controller = new AbortController();
    const arrived = kubernetes.log.arrival();
    const listing = nodes.list(controller.signal);
    await arrived;
    controller.abort(new Error('time is up'));
    await expect(listing).rejects.toThrow('time is up');
  });
});

describe('reading one node', () => {
  it('gives it with its facts', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.putNode({ name: '10.0.0.7', machineId: 'abc', addresses: ['10.0.0.7'], ready: false });
    expect(await nodes.read('10.0.0.7', never)).toMatchObject({
      name: '10.0.0.7',
      facts: { machineId: 'abc', addresses: ['10.0.0.7'], ready: 'false', unschedulable: false },
    });
  });

  it('that is not there gives undefined', async () => {
    const { nodes } = await lab();
    expect(await nodes.read('10.0.0.7', never)).toBeUndefined();
    expect(await nodes.read('fd00::1', never)).toBeUndefined();
  });

  it.each([
    ['the server has no nodes', refuse(404, 'NotFound', 'the server could not find the requested resource')],
    ['another node is missing', refuse(404, 'NotFound', 'nodes "b" not found', { name: 'b', kind: 'nodes' })],
    ['something else is missing', refuse(404, 'Expired', 'hm', { name: '10.0.0.7' })],
    ['this is no API server', answerWith(404, '<h1>Not Found</h1>')],
  ])('fails when a 404 says that %s', async (_, fault) => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(fault);
    const error = await errorOf(nodes.read('10.0.0.7', never));
    expect(error).toMatchObject({ status: 404 });
    expect(error.message).toContain(
      'the server does not serve /api/v1/nodes/10.0.0.7: check KUBE_REGISTER_API_ENDPOINT',
    );
    expect(await errorOf(nodes.remove('10.0.0.7', 'u', '1', never))).toMatchObject({ status: 404 });
    expect(await errorOf(nodes.update('10.0.0.7', 'u', '1', relabel, never))).toMatchObject({ status: 404 });
  });

  it('fails when the answer is no node', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(answerWith(200, '{"kind":"Node","metadata":{"name":"10.0.0.7"}}'));
    expect((await errorOf(nodes.read('10.0.0.7', never))).message).toContain('unexpected JSON at metadata.uid: ');
  });

  it('never ends in an endless answer', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(flood);
    expect((await errorOf(nodes.read('10.0.0.7', never))).message).toContain('larger than 4194304 bytes');
  });

  it.each(['', '.', '..'])('of the name %j is not asked for: its path would be another one', async (name) => {
    const { kubernetes, nodes } = await lab();
    kubernetes.putNode({ name: 'a' });
    await errorOf(nodes.read(name, never));
    await errorOf(nodes.update(name, 'u', '1', relabel, never));
    await errorOf(nodes.remove(name, 'u', '1', never));
    expect(kubernetes.log.total).toBe(0);
  });
});

describe('creating a node', () => {
  it('sends its name, address, labels and annotations, and nothing that is the kubelet’s to tell', async () => {
    const { kubernetes, nodes } = await lab();
    expect(await nodes.create(draft, never)).toBe('created');
    const [request] = kubernetes.log.entries;
    expect(JSON.parse(request?.body ?? '')).toEqual({
      kind: 'Node',
      apiVersion: 'v1',
      metadata: {
        name: '10.0.0.7',
        labels: { role: 'worker' },
        annotations: { 'kube-register.io/machine-id': 'abc' },
      },
      status: { addresses: [{ type: 'InternalIP', address: '10.0.0.7' }] },
    });
    expect(await nodes.read('10.0.0.7', never)).toMatchObject({
      labels: draft.labels,
      annotations: draft.annotations,
      facts: { addresses: ['10.0.0.7'] },
    });
  });

  it('that is there already is no failure, and changes nothing', async () => {
    const { kubernetes, nodes } = await lab();
    const before = kubernetes.putNode({ name: draft.name });
    expect(await nodes.create(draft, never)).toBe('exists');
    expect(kubernetes.node(draft.name)).toBe(before);
  });

  it.each([200, 201, 202])('is done when the server says %i', async (code) => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(answerWith(code, '{"kind":"Node"}'));
    expect(await nodes.create(draft, never)).toBe('created');
  });

  it.each(['<html>Please log in</html>', '{"kind":"Login"}'])(
    'is not done when something else says 200: %s',
    async (page) => {
      const { kubernetes, nodes } = await lab();
      kubernetes.faults.add(answerWith(200, page));
      expect((await errorOf(nodes.create(draft, never))).message).toContain('POST /api/v1/nodes');
      expect((await errorOf(nodes.update('node-a', 'u', '1', draft, never))).message).toContain(
        'PATCH /api/v1/nodes/node-a',
      );
      expect((await errorOf(nodes.remove('node-a', 'u', '1', never))).message).toContain('DELETE /api/v1/nodes/node-a');
    },
  );

  it('with labels that the server refuses creates nothing, and says so', async () => {
    const { kubernetes, nodes } = await lab();
    const labels = new Map([['bad key!', 'v']]);
    expect(await nodes.create({ ...draft, labels }, never)).toBe('labels-refused');
    expect(kubernetes.nodes).toEqual([]);
  });

  it('is not tried again when something else is refused', async () => {
    const { kubernetes, nodes } = await lab();
    const error = await errorOf(nodes.create({ ...draft, name: 'Not_Valid!' }, never));
    expect(error).toMatchObject({ status: 422, code: 'Invalid' });
    expect(error.message).toContain(
      'POST /api/v1/nodes: answered 422 Invalid: Node "Not_Valid!" is invalid: metadata.name: ',
    );
    expect(await errorOf(nodes.create({ ...draft, annotations: new Map([['bad key!', 'v']]) }, never))).toMatchObject({
      code: 'Invalid',
    });
    expect(kubernetes.log.total).toBe(2);
  });

  it('fails on a conflict that is not about its name', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(refuse(409, 'Conflict', 'try again'));
    expect(await errorOf(nodes.create(draft, never))).toMatchObject({ status: 409, code: 'Conflict' });
  });

  it('whose answer is lost is a failure, and is found to be there the next time', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(loseAnswer, { times: 1 });
    await errorOf(nodes.create(draft, never));
    expect(await nodes.create(draft, never)).toBe('exists');
  });
});

describe('updating a node', () => {
  const ANY = { version: 'v1.9.2', apiVersion: 'v1' } as const;

  it('changes the keys that are named and no others', async () => {
    const { kubernetes, nodes } = await lab();
    const { uid, resourceVersion = '' } = kubernetes.putNode({
      name: 'node-a',
      labels: { role: 'worker', rack: '12', zone: 'a' },
      annotations: { kept: 'x' },
    }).metadata;
    expect(await nodes.update('node-a', uid, resourceVersion, relabel, never)).toBe('updated');
    expect(kubernetes.node('node-a')?.metadata).toMatchObject({ uid });
    expect(kubernetes.node('node-a')?.metadata.labels).toEqual({ role: 'master', zone: 'a' });
    expect(kubernetes.node('node-a')?.metadata.annotations).toEqual({
      kept: 'x',
      'kube-register.io/address': '10.0.0.7',
    });
    const [request, ...others] = kubernetes.log.entries;
    expect(others).toEqual([]);
    expect(request?.headers['content-type']).toBe('application/merge-patch+json');
    expect(JSON.parse(request?.body ?? '').metadata).toMatchObject({ uid, resourceVersion });
  });

  it('that was changed since it was read is a conflict, and changes nothing', async () => {
    const { kubernetes, nodes } = await lab();
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    const other = kubernetes.setReady('node-a', true);
    expect(await nodes.update('node-a', uid, resourceVersion, relabel, never)).toBe('conflict');
    expect(kubernetes.node('node-a')).toBe(other);
  });

  it.each(['v1.9.2', 'v1.0.7'] as const)('is a conflict on %s before anything is sent', async (version) => {
    const { kubernetes, nodes } = await lab({ version, server: { version, apiVersion: 'v1' } });
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    kubernetes.setReady('node-a', true);
    expect(await nodes.update('node-a', uid, resourceVersion, relabel, never)).toBe('conflict');
    expect(kubernetes.log.writes).toEqual([]);
    const now = kubernetes.node('node-a')?.metadata.resourceVersion ?? '';
    expect(await nodes.update('node-a', uid, now, relabel, never)).toBe('updated');
  });

  it('that is changed between the look and the patch is a conflict, where the server looks at no uid', async () => {
    const { kubernetes, nodes } = await lab({ version: 'v1.9.2', server: ANY });
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    kubernetes.faults.add(
      (response, handle) => {
        kubernetes.setReady('node-a', true);
        const { status, body } = handle();
        answerWith(status, body)(response, handle);
      },
      { method: 'PATCH' },
    );
    expect(await nodes.update('node-a', uid, resourceVersion, relabel, never)).toBe('conflict');
    expect(kubernetes.node('node-a')?.metadata.labels).toBeUndefined();
  });

  it('whose resourceVersion is not known is changed whatever it is', async () => {
    for (const server of [V1_20, ANY]) {
      const { kubernetes, nodes } = await lab({ version: server === ANY ? 'v1.9.2' : 'v1.20.2', server });
      const { uid } = kubernetes.putNode({ name: 'node-a' }).metadata;
      expect(await nodes.update('node-a', uid, '', relabel, never)).toBe('updated');
      expect(kubernetes.log.writes[0]?.body).not.toContain('resourceVersion');
    }
  });

  it('leaves another node of that name alone', async () => {
    const { kubernetes, nodes } = await lab();
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    kubernetes.deleteNode('node-a');
    const other = kubernetes.putNode({ name: 'node-a' });
    expect(await nodes.update('node-a', uid, resourceVersion, relabel, never)).toBe('gone');
    expect(await nodes.update('node-a', uid, other.metadata.resourceVersion ?? '', relabel, never)).toBe('gone');
    expect(kubernetes.node('node-a')).toBe(other);
    const conflict = 'Precondition failed: UID in precondition: 1, UID in object meta: 2';
    kubernetes.faults.add(refuse(409, 'Conflict', conflict), { method: 'PATCH' });
    expect(await nodes.update('node-a', uid, '', relabel, never)).toBe('gone');
  });

  it('that is gone says so', async () => {
    const { kubernetes, nodes } = await lab();
    expect(await nodes.update('node-a', 'u', '1', relabel, never)).toBe('gone');
    expect(kubernetes.nodes).toEqual([]);
  });

  it('fails when the server refuses the change of the very node', async () => {
    const { kubernetes, nodes } = await lab();
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    const bad = { labels: new Map([['bad key!', 'v']]), annotations: new Map() };
    const attempt = nodes.update('node-a', uid, resourceVersion, bad, never);
    expect(await errorOf(attempt)).toMatchObject({ status: 422, code: 'Invalid' });
  });
});

describe('removing a node', () => {
  it('deletes it, with its uid and resourceVersion as preconditions', async () => {
    const { kubernetes, nodes } = await lab();
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    kubernetes.putNode({ name: 'node-b' });
    expect(await nodes.remove('node-a', uid, resourceVersion, never)).toBe('removed');
    expect(kubernetes.nodes.map(({ metadata }) => metadata.name)).toEqual(['node-b']);
    expect(JSON.parse(kubernetes.log.entries[0]?.body ?? '')).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid, resourceVersion },
    });
  });

  it('that another one has taken the place of, or that was changed, leaves it there', async () => {
    const { kubernetes, nodes } = await lab();
    const { uid, resourceVersion = '' } = kubernetes.putNode({ name: 'node-a' }).metadata;
    kubernetes.setReady('node-a', true);
    expect(await nodes.remove('node-a', uid, resourceVersion, never)).toBe('changed');
    const now = kubernetes.node('node-a')?.metadata.resourceVersion ?? '';
    expect(await nodes.remove('node-a', 'another-uid', now, never)).toBe('changed');
    expect(kubernetes.nodes).toHaveLength(1);
    expect(await nodes.remove('node-a', uid, now, never)).toBe('removed');
  });

  it('that was changed is deleted all the same by a server that knows no preconditions', async () => {
    const { kubernetes, nodes } = await lab({ preconditions: 'none', version: 'v1.0.7' });
    kubernetes.putNode({ name: 'node-a' });
    expect(await nodes.remove('node-a', 'another-uid', '1', never)).toBe('removed');
  });

  it('that is gone says so', async () => {
    const { nodes } = await lab();
    expect(await nodes.remove('node-a', 'u', '1', never)).toBe('gone');
  });

  it.each(['v1.5.8', 'v1.9.2', 'v1.20.2'] as const)(
    'that a finalizer holds is leaving on %s, also the second time',
    async (version) => {
      const { kubernetes, nodes } = await lab({ version, server: { version, apiVersion: 'v1' } });
      const { uid, resourceVersion = '' } = kubernetes.putNode({
        name: 'node-a',
        finalizers: ['example.com/a'],
      }).metadata;
      expect((await nodes.read('node-a', never))?.leaving).toBeUndefined();
      expect(await nodes.remove('node-a', uid, resourceVersion, never)).toBe('leaving');
      const read = await nodes.read('node-a', never);
      expect(read?.leaving).toEqual({
        since: kubernetes.node('node-a')?.metadata.deletionTimestamp,
        finalizers: ['example.com/a'],
      });
      expect((await nodes.list(never)).nodes[0]?.leaving).toEqual(read?.leaving);
      expect(await nodes.remove('node-a', uid, read?.resourceVersion ?? '', never)).toBe('leaving');
      kubernetes.patchNode('node-a', { metadata: { finalizers: null } });
      expect(kubernetes.nodes).toEqual([]);
    },
  );

  it.each([
    [202, { kind: 'Node', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'leaving'],
    [200, { kind: 'Minion', deletionTimestamp: '2026-01-01T00:00:00Z' }, 'leaving'],
    [200, { kind: 'Node', metadata: { deletionTimestamp: null } }, 'removed'],
    [200, { kind: 'Status', metadata: {}, status: 'Success' }, 'removed'],
    [200, { kind: 'Status', metadata: 'odd', status: 'Success' }, 'removed'],
  ])('that is answered with %i %j is %s', async (code, body, outcome) => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(answerWith(code, JSON.stringify(body)));
    expect(await nodes.remove('node-a', 'u', '1', never)).toBe(outcome);
  });

  it('that was accepted counts as done', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(answerWith(202, '{"kind":"Status","status":"Success"}'));
    expect(await nodes.remove('node-a', 'u', '1', never)).toBe('removed');
  });

  it.each([400, 405, 500])('fails when the server says %i', async (code) => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(refuse(code, 'Hm', 'no'));
    expect(await errorOf(nodes.remove('node-a', 'u', '1', never))).toMatchObject({ status: code, code: 'Hm' });
  });
});

describe('an error', () => {
  it('about missing rights quotes the server and has the rule that grants them', async () => {
    const { nodes } = await lab({ tokens: { 'very-secret': 'none' }, token: 'very-secret' });
    const attempts = [
      ['list', nodes.list(never)],
      ['get', nodes.read('a', never)],
      ['create', nodes.create(draft, never)],
      ['patch', nodes.update('a', 'u', '1', relabel, never)],
      ['delete', nodes.remove('a', 'u', '1', never)],
    ] as const;
    for (const [verb, attempt] of attempts) {
      const error = await errorOf(attempt);
      expect(error).toMatchObject({ status: 403, code: 'Forbidden' });
      expect(error.message).toContain(`User "user" cannot ${verb} resource "nodes"`);
      expect(error.message).toContain(`does this user have the verb "${verb}" on nodes?`);
      expect(error.message).toContain('verbs: ["get", "list", "create", "patch", "delete"]');
      expect(inspect(error)).not.toContain('very-secret');
    }
  });

  it('about credentials that are unknown or absent says which settings give them', async () => {
    const unknown = await lab({ tokens: { good: 'all' }, token: 'very-secret' });
    const error = await errorOf(unknown.nodes.list(never));
    expect(error).toMatchObject({ status: 401, code: 'Unauthorized' });
    expect(error.message).toMatch(/rejects these credentials; check KUBE_REGISTER_API_TOKEN_FILE, /);
    expect(inspect(error)).not.toContain('very-secret');

    const anonymous = await lab({ tokens: { good: 'all' } });
    expect((await errorOf(anonymous.nodes.list(never))).message).toMatch(
      /no credentials were sent; set KUBE_REGISTER_API_TOKEN_FILE, /,
    );
  });

  it('about a server without nodes says that it may be too old', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(refuse(404, 'NotFound', 'the server could not find the requested resource'));
    const error = await errorOf(nodes.list(never));
    expect(error).toMatchObject({ status: 404, code: 'NotFound' });
    expect(error.message).toContain('the server does not serve /api/v1/nodes: check KUBE_REGISTER_API_ENDPOINT');
    expect(await errorOf(nodes.create(draft, never))).toMatchObject({ status: 404 });
  });

  it('about a redirect says where it leads, and nothing more of it', async () => {
    const { kubernetes, nodes } = await lab();
    kubernetes.faults.add(redirectTo('https://login.example.com/?token=hunter2'));
    const { message } = await errorOf(nodes.list(never));
    expect(message).toContain('redirected to login.example.com; redirects are not followed');
    expect(message).not.toContain('hunter2');
  });

  it('is one short line whatever the server says', async () => {
    const { kubernetes, nodes } = await lab();
    const evil = `one\r\ntwo\u001b[31m\u202e${'x'.repeat(5000)}`;
    kubernetes.faults.add(refuse(500, 'InternalError', evil));
    const { message } = await errorOf(nodes.list(never));
    expect(message).toContain('GET /api/v1/nodes: answered 500 InternalError: one two [31m xxx');
    expect(message).toMatch(/^[\x20-\x7e]+…$/);
    expect(message.length).toBeLessThan(450);
  });
});
