/** What the lab does for tests beyond what was recorded. */
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answerWith } from '../../lab/faults.ts';
import { type Fleet, startFleet } from '../../lab/fleet.ts';
import { startKubelets } from '../../lab/kubelets.ts';
import { type Kubernetes, type KubernetesVersion, startKubernetes } from '../../lab/kubernetes.ts';
import { type Lab, startLab } from '../../lab/lab.ts';

/** A list, a node or a Status. */
const BODY = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ continue: z.string().default('') }),
  items: z.array(z.object({ metadata: z.looseObject({ name: z.string() }) })).nullish(),
});

describe('a lab', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await startLab();
  });
  afterEach(() => lab.close());

  const probe = (address: string) => fetch(lab.kubelets.healthzUrl.replace('{ip}', address));

  it('gives each machine an id, an address and a healthy kubelet', async () => {
    const [first, second] = await lab.addMachines(2, { role: 'kubernetes' });
    expect([first?.id, second?.id]).toEqual(['1'.padStart(32, '0'), '2'.padStart(32, '0')]);
    expect([first?.address, second?.address]).toEqual(['127.1.0.1', '127.1.0.2']);
    for (const address of ['127.1.0.1', '127.1.0.2']) expect(await (await probe(address)).text()).toBe('ok');

    const listing = await (await fetch(`${lab.fleet.url}/fleet/v1/machines`)).json();
    expect(listing).toMatchObject({ machines: [{ primaryIP: '127.1.0.1' }, { primaryIP: '127.1.0.2' }] });
  });

  it('lets one kubelet misbehave and recover while the others are well', async () => {
    const [sick, well] = await lab.addMachines(2);
    sick?.kubelet.misbehave(answerWith(500));
    expect((await probe(sick?.address ?? '')).status).toBe(500);
    expect((await probe(well?.address ?? '')).status).toBe(200);
    sick?.kubelet.recover();
    expect((await probe(sick?.address ?? '')).status).toBe(200);
  });

  it('lets a kubelet die and come back', async () => {
    const { kubelet, address } = await lab.addMachine();
    await kubelet.stop();
    await expect(probe(address)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await kubelet.start();
    expect((await probe(address)).status).toBe(200);
    expect(lab.kubelets.log.entries.map(({ to }) => to)).toEqual([address]);
  });

  it('does not share a port with another lab, though their kubelets have the same addresses', async () => {
    const { address } = await lab.addMachine();
    const others = await startKubelets();
    const other = await others.add();
    expect(other.address).toBe(address);
    expect(others.port).not.toBe(lab.kubelets.port);
    await others.close();
  });

  it('shares a port that it is given, at addresses of its own', async () => {
    const others = await startKubelets({ port: lab.kubelets.port, firstAddress: '127.2.0.255' });
    expect([(await others.add()).address, (await others.add()).address]).toEqual(['127.2.0.255', '127.2.1.0']);
    await others.close();
  });
});

describe('a fleet on a unix socket', () => {
  let fleet: Fleet;
  let directory: string;
  let socket: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lab-'));
    socket = join(directory, 'fleet.sock');
    fleet = await startFleet({ socket });
  });
  afterEach(async () => {
    await fleet.close();
    await rm(directory, { recursive: true });
  });

  const list = () =>
    new Promise((resolve, reject) => {
      const options = { socketPath: socket, path: '/fleet/v1/machines', agent: false };
      get(options, (response) => resolve(json(response))).on('error', reject);
    });

  it('answers there', async () => {
    fleet.setMachine({ id: 'a' });
    expect(fleet.endpoint).toBe(`unix://${socket}`);
    expect(await list()).toEqual({ machines: [{ id: 'a' }] });
  });

  it('leaves nothing behind, or a file that refuses, and comes back at the same path', async () => {
    await fleet.stop();
    await expect(list()).rejects.toMatchObject({ code: 'ENOENT' });
    await fleet.start();
    expect(await list()).toEqual({});
    await fleet.stop({ keepFile: true });
    await expect(list()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await fleet.start();
    expect(await list()).toEqual({});
  });
});

describe('a Kubernetes', () => {
  let kubernetes: Kubernetes;
  beforeEach(async () => {
    kubernetes = await startKubernetes();
  });
  afterEach(() => kubernetes.close());

  const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

  async function ask(
    method: string,
    path: string,
    { accept = 'application/json', type = 'application/json', body = {} } = {},
  ) {
    const withBody = method === 'GET' ? {} : { body: JSON.stringify(body) };
    const headers = { Accept: accept, 'Content-Type': type };
    const response = await fetch(`${kubernetes.url}${path}`, { method, headers, ...withBody });
    return { status: response.status, body: BODY.parse(await response.json()) };
  }

  it('registers a node as its kubelet does, and leaves alone what others wrote on it', () => {
    const ours = kubernetes.putNode({ name: 'n', labels: { role: 'worker' }, annotations: { mark: 'x' } });
    const node = kubernetes.selfRegister('n', 'abc', ['10.0.0.1']);
    expect(node.metadata).toMatchObject({
      uid: ours.metadata.uid,
      labels: { role: 'worker' },
      annotations: { mark: 'x' },
    });
    expect(node.status).toMatchObject({
      nodeInfo: { machineID: 'abc' },
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    });
    expect(kubernetes.selfRegister('m', 'def', []).metadata.labels).toEqual({ 'kubernetes.io/hostname': 'm' });
  });

  it('has nodes that a test makes ready, changes, deletes and makes anew', () => {
    const first = kubernetes.putNode({ name: 'n', ready: true });
    expect(kubernetes.setReady('n', 'unknown').status.conditions).toMatchObject([{ type: 'Ready', status: 'Unknown' }]);
    expect(kubernetes.patchNode('n', { spec: { unschedulable: true } }).spec.unschedulable).toBe(true);
    kubernetes.deleteNode('n');
    expect(kubernetes.nodes).toEqual([]);
    expect(kubernetes.putNode({ name: 'n' }).metadata.uid).not.toBe(first.metadata.uid);
    expect(() => kubernetes.setReady('nobody', true)).toThrow('nodes "nobody" not found');
  });

  it('pages through the nodes as they were at the first page', async () => {
    for (const name of ['a', 'b', 'c', 'd']) kubernetes.putNode({ name });
    const first = await ask('GET', '/api/v1/nodes?limit=2');
    kubernetes.deleteNode('c');
    const token = first.body.metadata.continue;
    const rest = await ask('GET', `/api/v1/nodes?limit=2&continue=${token}`);
    expect(namesIn(rest.body)).toEqual(['c', 'd']);
  });

  it('answers 410 when a list has expired, with a token for whatever is there now', async () => {
    for (const name of ['a', 'b', 'c', 'd']) kubernetes.putNode({ name });
    const first = await ask('GET', '/api/v1/nodes?limit=2');
    kubernetes.deleteNode('c');
    kubernetes.expireContinueTokens();
    const gone = await ask('GET', `/api/v1/nodes?limit=2&continue=${first.body.metadata.continue}`);
    expect(gone).toMatchObject({ status: 410, body: { kind: 'Status', reason: 'Expired' } });
    const rest = await ask('GET', `/api/v1/nodes?limit=2&continue=${gone.body.metadata.continue}`);
    expect(namesIn(rest.body)).toEqual(['d']);
  });

  it('can be a server that does not page', async () => {
    kubernetes.paging = false;
    for (const name of ['a', 'b', 'c']) kubernetes.putNode({ name });
    expect(namesIn((await ask('GET', '/api/v1/nodes?limit=2')).body)).toEqual(['a', 'b', 'c']);
  });

  it('lists metadata only, with null for no nodes', async () => {
    const { body } = await ask('GET', '/api/v1/nodes', { accept: METADATA });
    expect(body).toMatchObject({ kind: 'PartialObjectMetadataList', items: null });
  });

  it('can be a server that ignores the wish for metadata only, or refuses it', async () => {
    const accept = `${METADATA},application/json`;
    kubernetes.metadataLists = 'ignored';
    expect((await ask('GET', '/api/v1/nodes', { accept })).body.kind).toBe('NodeList');
    expect((await ask('GET', '/api/v1/nodes', { accept: METADATA })).status).toBe(406);
    kubernetes.metadataLists = '406';
    expect((await ask('GET', '/api/v1/nodes', { accept })).status).toBe(406);
    expect((await ask('GET', '/api/v1/nodes', { accept: `application/json,${METADATA}` })).body.kind).toBe('NodeList');
  });

  it.each([
    ['both', { uid: 'other' }, 409],
    ['both', { resourceVersion: '1' }, 409],
    ['uid', { uid: 'other' }, 409],
    ['uid', { resourceVersion: '1' }, 200],
    ['none', { uid: 'other' }, 200],
  ] as const)('looks at preconditions of a delete (%s): %o gives %i', async (looked, preconditions, status) => {
    kubernetes.preconditions = looked;
    kubernetes.putNode({ name: 'n' });
    expect((await ask('DELETE', '/api/v1/nodes/n', { body: { preconditions } })).status).toBe(status);
    expect(kubernetes.node('n') === undefined).toBe(status === 200);
  });

  it('refuses a change of the uid: 422 in a patch, 409 in a replacement', async () => {
    kubernetes.putNode({ name: 'n' });
    const body = { metadata: { name: 'n', uid: 'other', labels: { a: 'b' } } };
    const patched = await ask('PATCH', '/api/v1/nodes/n', { type: 'application/merge-patch+json', body });
    expect(patched).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: 'metadata.uid' }, { field: 'metadata.uid' }] } },
    });
    expect(await ask('PUT', '/api/v1/nodes/n', { body })).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
    expect(kubernetes.node('n')?.metadata.labels).toBeUndefined();
  });

  it('selects by label and by name', async () => {
    kubernetes.putNode({ name: 'a', labels: { role: 'worker', zone: 'x' } });
    kubernetes.putNode({ name: 'b', labels: { role: 'etcd' } });
    kubernetes.putNode({ name: 'c' });
    const found = async (query: string) => namesIn((await ask('GET', `/api/v1/nodes?${query}`)).body).join(' ');
    const byLabel = (text: string) => found(`labelSelector=${encodeURIComponent(text)}`);
    expect(await byLabel('role')).toBe('a b');
    expect(await byLabel('!role')).toBe('c');
    expect(await byLabel('role!=etcd')).toBe('a c');
    expect(await byLabel('role in (etcd, worker),zone notin (y)')).toBe('a b');
    expect(await byLabel('role==worker,zone=x')).toBe('a');
    expect(await found('fieldSelector=metadata.name!=b')).toBe('a c');
    expect((await ask('GET', '/api/v1/nodes?fieldSelector=spec.other=1')).status).toBe(400);
  });
});

describe('a Kubernetes of an older release', () => {
  let kubernetes: Kubernetes;
  afterEach(() => kubernetes.close());

  async function ask(method: string, path: string, body?: object) {
    const headers = { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    const response = await fetch(`${kubernetes.url}${path}`, { method, headers, body: JSON.stringify(body) ?? null });
    return [response.status, JSON.parse((await response.text()) || 'null')] as const;
  }

  it('shows the same node as a Minion and as a Node, each Ready in its own words', async () => {
    kubernetes = await startKubernetes({ version: 'v0.17.1' });
    await ask('POST', '/api/v1beta1/minions', { kind: 'Minion', apiVersion: 'v1beta1', id: 'n', hostIP: '10.0.0.1' });
    for (const [ready, full, status] of [[true, 'Full', 'True'] as const, [false, 'None', 'False'] as const]) {
      kubernetes.setReady('n', ready);
      const conditions = [{ kind: 'Ready', status: full }];
      expect(await ask('GET', '/api/v1beta2/nodes/n')).toMatchObject([200, { id: 'n', status: { conditions } }]);
      const node = { addresses: [{ address: '10.0.0.1' }], conditions: [{ type: 'Ready', status }] };
      expect(await ask('GET', '/api/v1beta3/nodes/n')).toMatchObject([200, { status: node }]);
    }
    const patched = await ask('PATCH', '/api/v1beta1/minions/n', { labels: { a: 'b' } });
    expect(patched).toMatchObject([200, { labels: { a: 'b' }, hostIP: '10.0.0.1' }]);
    expect(kubernetes.node('n')?.status.conditions).toMatchObject([{ type: 'Ready', status: 'False' }]);
  });

  it('can be upgraded while it runs: its nodes stay, its API versions change, and what a test has set is kept', async () => {
    kubernetes = await startKubernetes({ version: 'v0.13.2', paging: true });
    for (const name of ['a', 'b']) kubernetes.putNode({ name });
    const { uid } = kubernetes.node('a')?.metadata ?? {};
    expect(await ask('GET', '/api')).toEqual([200, { versions: ['v1beta1', 'v1beta2'] }]);
    const off = await fetch(`${kubernetes.url}/api/v1beta3/nodes`);
    expect([off.status, await off.text()]).toEqual([404, '404: Page Not Found']);
    kubernetes.apis = ['v1beta1', 'v1beta3'];
    expect(await ask('GET', '/api')).toEqual([200, { versions: ['v1beta1', 'v1beta3'] }]);
    kubernetes.version = 'v1.0.7';
    expect(await ask('GET', '/api')).toEqual([200, { versions: ['v1'] }]);
    expect(await ask('GET', '/version')).toMatchObject([200, { gitVersion: 'v1.0.7' }]);
    expect(await ask('GET', '/api/v1beta1/minions')).toMatchObject([404, { reason: 'NotFound', details: {} }]);
    expect(await ask('GET', '/api/v1/nodes?limit=1')).toMatchObject([200, { items: [{ metadata: { uid } }] }]);
  });

  it.each<[KubernetesVersion, string]>([
    ['v0.13.2', 'v1beta1/minions'],
    ['v0.17.1', 'v1beta3/nodes'],
    ['v1.0.7', 'v1/nodes'],
    ['v1.5.8', 'v1/nodes'],
    ['v1.9.2', 'v1/nodes'],
    ['v1.20.2', 'v1/nodes'],
  ])('%s refuses a patch of another uid with 422, of another resourceVersion with 409', async (version, path) => {
    kubernetes = await startKubernetes({ version });
    const { resourceVersion } = kubernetes.putNode({ name: 'n' }).metadata;
    const isMinion = path.endsWith('minions');
    const patch = (metadata: object) => ask('PATCH', `/api/${path}/n`, isMinion ? metadata : { metadata });
    const labels = { a: 'b' };
    expect(await patch({ uid: 'other', labels })).toMatchObject([422, { reason: 'Invalid' }]);
    const stale = { resourceVersion: isMinion ? 1 : '1', labels };
    expect(await patch(stale)).toMatchObject([409, { reason: 'Conflict' }]);
    expect(kubernetes.node('n')?.metadata.labels).toBeUndefined();
    expect(await patch({ resourceVersion, labels })).toMatchObject([200, {}]);
    expect(kubernetes.node('n')?.metadata.labels).toEqual(labels);
  });
});

function namesIn({ items }: z.output<typeof BODY>): string[] {
  return items?.map(({ metadata }) => metadata.name) ?? [];
}
