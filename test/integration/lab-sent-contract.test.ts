/**
 * What the lab takes from our client although no recording shows that a real server takes it. Every header, parameter and member of a
 * body that our client sends to a release is either in a recording of that release, or in the table below with the reason why a real
 * server takes it.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askRights } from '../../src/commands/check/checks/rights.ts';
import { connectNodes } from '../../src/kubernetes/connect.ts';
import { createEventLog } from '../../src/kubernetes/events.ts';
import { type RecordedRequest, readRecording } from '../lab/recording.ts';
import type { Received } from '../lab/request-log.ts';
import { clientOf } from './client.ts';
import { ERAS, type Era, startServer } from './eras.ts';

const never = new AbortController().signal;

/** `PATCH node body metadata.uid: string`, or `POST /path` where a release has no recording of that at all. */
type Place = string;

const EVERY_RELEASE = ERAS.map(({ version }) => version);
const WITH_V1 = ['v1.0.7', 'v1.5.8', 'v1.9.2', 'v1.20.2'] as const;
const WITH_PATCHES = ['v0.13.2', 'v0.17.1', ...WITH_V1] as const;
const ACCEPT = 'header accept: application/json, */*;q=0.1';
const ACCEPT_METADATA =
  'header accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json, */*;q=0.1';
const REVIEWS = 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

const SAME_NEGOTIATION =
  'a form is negotiated alike for every method and path of a release: its list of nodes is recorded with this header';
const REAL = 'test:real sends it to the real v1.20.2';
const AS_PUT =
  'a patch is applied to the node as it is, and the outcome is written as that of a PUT: a PUT with a stale resourceVersion is recorded to be 409';

const UNRECORDED: Readonly<Record<Place, { readonly by: readonly Era['version'][]; readonly taken: string }>> = {
  'any header accept-encoding': { by: EVERY_RELEASE, taken: `identity is what a client without it gets; ${REAL}` },
  'any header user-agent': { by: EVERY_RELEASE, taken: `it changes only the indentation of answers; ${REAL}` },
  'any header authorization': {
    by: EVERY_RELEASE.filter((version) => version !== 'v1.20.2'),
    taken: 'a server without authentication does not look at it; v1.20.2 is recorded with it',
  },
  [`GET node ${ACCEPT}`]: { by: WITH_V1, taken: SAME_NEGOTIATION },
  [`GET nodes ${ACCEPT}`]: { by: ['v1.20.2'], taken: REAL },
  [`GET nodes ${ACCEPT_METADATA}`]: { by: ['v1.20.2'], taken: REAL },
  [`GET /version ${ACCEPT}`]: { by: ['v1.20.2'], taken: REAL },
  [`GET /api ${ACCEPT}`]: { by: ['v1.20.2'], taken: REAL },
  [`POST nodes ${ACCEPT}`]: {
    by: ['v0.2', ...WITH_V1],
    taken: `${SAME_NEGOTIATION}; v0.2 is recorded to refuse such a request for its kubelet, not for this`,
  },
  [`PATCH node ${ACCEPT}`]: { by: WITH_PATCHES, taken: SAME_NEGOTIATION },
  [`DELETE node ${ACCEPT}`]: { by: WITH_V1, taken: SAME_NEGOTIATION },
  'PATCH node parameter sync': {
    by: ['v0.13.2'],
    taken: 'parameters that are not known are ignored: POST and DELETE are recorded with it',
  },
  'PATCH node body annotations.*: string': {
    by: ['v0.13.2'],
    taken: 'any member of the node can be merged: labels are recorded',
  },
  'PATCH node body resourceVersion: number': { by: ['v0.13.2'], taken: AS_PUT },
  'PATCH node body metadata.resourceVersion: string': { by: ['v0.17.1', ...WITH_V1], taken: AS_PUT },
  'PATCH node body metadata.uid: string': { by: ['v1.20.2'], taken: REAL },
  'POST /api/v1/namespaces/default/events': {
    by: WITH_V1,
    taken: `it is what kubelets of each release send (type Event of pkg/api/v1/types.go); ${REAL}`,
  },
  [REVIEWS]: {
    by: EVERY_RELEASE.filter((version) => version !== 'v1.20.2'),
    taken: 'before v1.6 there is no such path (404), and `check` says so; the type is the same from then on',
  },
};

describe('a request of ours', () => {
  it('has no place that neither a recording nor the table has, and the table has no other', async () => {
    const found = new Map<Place, Era['version'][]>();
    for (const era of ERAS) {
      const recorded = new Set(recordedRequests(era.version).flatMap(placesOf));
      for (const place of new Set((await sentTo(era)).flatMap((sent) => unrecorded(sent, recorded)))) {
        found.set(place, [...(found.get(place) ?? []), era.version]);
      }
    }
    const listed = Object.entries(UNRECORDED).map(([place, { by }]) => [place, by] as const);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(listed));
  }, 60_000);

  it('ends its Accept in any form, whatever it is', async () => {
    for (const era of ERAS) {
      const sent = (await sentTo(era)).filter(({ path }) => !/\/(events|selfsubjectaccessreviews)$/.test(path));
      const accepts = sent.map(({ headers }) => headers['accept']);
      expect(accepts.filter((accept) => !accept?.endsWith(', */*;q=0.1'))).toEqual([]);
      expect(accepts.length).toBeGreaterThan(4);
    }
  }, 60_000);
});

/** The places of a request that are not recorded; where nothing of the kind is, that alone. */
function unrecorded(sent: RecordedRequest, recorded: ReadonlySet<Place>): Place[] {
  const [what = '', ...places] = placesOf(sent);
  if (!recorded.has(what)) return [what];
  return places.filter((place) => !recorded.has(place));
}

function recordedRequests(version: Era['version']): RecordedRequest[] {
  const folder = new URL('../recordings/kubernetes/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file === `${version}.json` || file.startsWith(`${version}-`));
  return files
    .flatMap((file) => readRecording(`kubernetes/${file}`))
    .flatMap(({ request, response }) => (request && isTaken(request, response?.status ?? 0) ? [request] : []));
}

/** Whether the server took it, or refused it as our client expects: a server that refuses a form, a body or a path has not taken it. */
function isTaken({ method, path, headers }: RecordedRequest, status: number): boolean {
  if ((status >= 200 && status < 300) || status === 409) return true;
  // v0.2 to v0.5 say so of a minion that is not there, or whose kubelet does not answer.
  if (method === 'GET' && status === 500) return true;
  // v0.2 and v0.4 have no such list, and v1.5.8 no lists of metadata.
  if (path === '/api' && status === 404) return true;
  return path === '/api/v1/nodes' && status === 406 && headers['Accept']?.includes(';as=') === true;
}

/** Everything that our client ever sends to a server of that era. */
async function sentTo(era: Era): Promise<RecordedRequest[]> {
  const server = await startServer(era, 1, () => 0);
  onTestFinished(() => server.close());
  const http = clientOf('kubernetes', server.url, { token: 'secret' });
  const clock = { wall: () => 0, monotonic: () => 0 };
  const nodes = connectNodes({ http, apiVersion: 'auto', clock });
  server.register('10.0.0.1', '10.0.0.1');
  for (let count = 0; count <= 500; count++)
    server.register(`node-${count}`, `10.0.${1 + (count >> 8)}.${count & 255}`);
  await nodes.list(never);
  await nodes.listWhole(never);
  const annotations = new Map([['kube-register.io/machine-id', 'm']]);
  const labels = new Map(era.labels.map((key) => [key, 'v']));
  await nodes.create({ name: '10.0.0.2', address: '10.0.0.2', labels, annotations }, never).catch(() => {});
  const node = await nodes.read('10.0.0.1', never).catch(() => undefined);
  const { uid, resourceVersion } = node ?? { uid: 'u', resourceVersion: '1' };
  if (era.canUpdate) {
    await nodes.update(
      '10.0.0.1',
      uid,
      resourceVersion,
      { labels: new Map([...labels, ['zone', null]]), annotations },
      never,
    );
  }
  if (!era.hidesMinions) await nodes.remove('10.0.0.1', uid, resourceVersion, never);
  if (era.spoken === 'v1') {
    const log = createEventLog(http, () => 'abcdef');
    await log.write({ reason: 'Registered', node: '10.0.0.1', message: 'm', at: 0 }, never);
  }
  await askRights(http, [{ verb: 'list', resource: 'nodes', use: '', unneeded: undefined }], never);
  return server.log.entries.map(toRecorded);
}

function toRecorded({ method, path, headers, body }: Received): RecordedRequest {
  const named = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { method, path, headers: Object.fromEntries(named), body: body === '' ? undefined : JSON.parse(body) };
}

/** What HTTP itself needs, whatever is asked. */
const OF_HTTP = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);

/** These go with all of our requests. */
const OF_ALL = new Set(['accept-encoding', 'authorization', 'user-agent']);

function placesOf({ method, path, headers, body }: RecordedRequest): Place[] {
  const { pathname, searchParams } = new URL(path, 'http://server');
  const what = `${method} ${subjectOf(pathname)}`;
  const values = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return [
    what,
    ...values
      .filter(([name]) => !OF_HTTP.has(name))
      .map(([name, value]) => (OF_ALL.has(name) ? `any header ${name}` : `${what} header ${name}: ${value}`)),
    ...[...searchParams.keys()].map((key) => `${what} parameter ${key}`),
    ...membersOf(body).map((member) => `${what} body ${member}`),
  ];
}

/** `node`, `nodes`, or the path where it is another. In v1beta1 and v1beta2 they are minions. */
function subjectOf(pathname: string): string {
  const match = /^\/api\/v1(?:beta\d)?\/(?:nodes|minions)(?<name>\/[^/]+)?$/.exec(pathname);
  if (match === null) return pathname;
  return match.groups?.['name'] === undefined ? 'nodes' : 'node';
}

/** `metadata.labels.*`: the members of a JSON object with the types of their values, names of labels and annotations left out. */
function membersOf(value: unknown, way = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(item, `${way}[]`));
  if (typeof value !== 'object' || value === null) return [`${way}: ${value === null ? 'null' : typeof value}`];
  const isMap = /(^|\.)(labels|annotations)$/.test(way);
  return Object.entries(value).flatMap(([key, inner]) =>
    membersOf(inner, [way, isMap ? '*' : key].filter(Boolean).join('.')),
  );
}
