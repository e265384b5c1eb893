/** Servers that lie, break off, refuse or never end: a pass fails with one sentence, changes nothing, and forgets nothing. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Target } from '../../src/http/request-error.ts';
import { type Loop, MINUTE, startLoop, told, verdictOf, WORKER } from '../integration/in-lab.ts';
import * as faults from '../lab/faults.ts';
import { answerWith, change, type Fault } from '../lab/faults.ts';
import type { LabMachine } from '../lab/lab.ts';

/** What is wrong with an answer, and the words for it after the server and the request. */
type Row = readonly [name: string, fault: Fault, problem: RegExp];

const MIB = 1024 * 1024;
const SLOW = /^no complete response within 500ms/;
const BROKEN = /^the connection was closed before the response was complete \(ECONNRESET\)/;
const NODES = '"kind":"NodeList","apiVersion":"v1"';

const half = change((answer) => ({ ...answer, body: answer.body.slice(0, answer.body.length / 2) }));

/** So many MiB, announced, as fast as the client reads them. */
function huge(mib: number): Fault {
  return (response, handle) => {
    response.setHeader('Content-Length', mib * MIB);
    faults.flood(response, handle);
  };
}

/** Every page has a token that none before it had. */
function withoutEnd(page: (token: string) => string): Fault {
  let pages = 0;
  return (response, handle) => {
    pages += 1;
    answerWith(200, page(`token-${pages}`))(response, handle);
  };
}

const OF_ANY_SERVER: readonly Row[] = [
  ['is a web page', answerWith(200, '<html>Log in</html>'), /^answered 200 with 19 bytes .* not JSON: "<html>Log in/],
  ['is empty', answerWith(200), /^answered 200 with an empty body$/],
  ['is a list', answerWith(200, '[]'), /^unexpected JSON at /],
  ['is null', answerWith(200, 'null'), /^unexpected JSON at /],
  ['has half of the bytes it announces', faults.truncate, BROKEN],
  ['is half of a JSON text', half, /that is not JSON/],
  ['is compressed', answerWith(200, '{}', { 'Content-Encoding': 'gzip' }), /^the response is compressed/],
  ['never ends', faults.flood, /^the response is larger than \d+ bytes/],
  ['has 200 MiB', huge(200), /^the response is larger than \d+ bytes/],
  ['redirects', faults.redirectTo('http://me:secret@else.example/secret'), /else\.example.* not followed/],
  ['is 401', answerWith(401), /\b401\b/],
  ['is 403', answerWith(403), /\b403\b/],
  ['is 429', answerWith(429, '', { 'Retry-After': '3600' }), /\b429\b/],
  ['is 500', answerWith(500, 'panic: \u001b[31m\r\n\tat goroutine 1'), /\b500\b/],
  ['is 503', answerWith(503), /\b503\b/],
  ['is a reset', faults.reset, BROKEN],
  ['is not HTTP', faults.notHttp, /HTTP/],
  ['never comes', faults.hang, SLOW],
  ['drips its head', faults.dripHeaders(), SLOW],
  ['drips its body', faults.dripBody(), SLOW],
];

const OF_FLEET: readonly Row[] = [
  ['has an object of machines', answerWith(200, '{"machines":{}}'), /^unexpected JSON at machines: /],
  ['has a word for machines', answerWith(200, '{"machines":"none"}'), /^unexpected JSON at machines: /],
  ['has a number for a token', answerWith(200, '{"nextPageToken":5}'), /^unexpected JSON at nextPageToken: /],
  ['goes round in a circle', answerWith(200, '{"nextPageToken":"AA"}'), /repeats a page token$/],
  ['has no last page', withoutEnd((token) => `{"nextPageToken":"${token}"}`), /more than 1000 pages$/],
];

const OF_KUBERNETES: readonly Row[] = [
  ['is a list of pods', answerWith(200, '{"kind":"PodList","items":[]}'), /^unexpected JSON at kind: /],
  ['has an object of nodes', answerWith(200, `{${NODES},"items":{}}`), /^unexpected JSON at items: /],
  ['has an empty node', answerWith(200, `{${NODES},"items":[{}]}`), /^unexpected JSON at items\[0\]\.metadata: /],
  [
    'has a nameless node',
    answerWith(200, `{${NODES},"items":[{"metadata":{"uid":"1"}}]}`),
    /items\[0\]\.metadata\.name/,
  ],
  ['has a node without uid', answerWith(200, `{${NODES},"items":[{"metadata":{"name":"a"}}]}`), /metadata\.uid/],
  ['points back', answerWith(200, `{${NODES},"metadata":{"continue":"a"},"items":[]}`), /^page 2 repeats the token/],
  ['has no last page', withoutEnd((token) => `{${NODES},"metadata":{"continue":"${token}"}}`), /more than 1000 pages$/],
];

const SERVERS = [
  ['fleet', 'GET', /machines/, 'GET /fleet/v1/machines', [...OF_ANY_SERVER, ...OF_FLEET]],
  ['kubernetes', 'GET', /nodes\?/, 'GET /api/v1/nodes', [...OF_ANY_SERVER, ...OF_KUBERNETES]],
  [
    'kubernetes',
    'GET',
    /nodes\/./,
    'GET /api/v1/nodes/127.1.0.1',
    OF_ANY_SERVER.filter(([, , problem]) => problem !== SLOW),
  ],
] as const satisfies readonly (readonly [Target, ...unknown[]])[];

/** Four nodes, of which the first is dead and has been watched for one of its three minutes. */
async function watching(requestMs?: number): Promise<Loop> {
  const loop = await startLoop({
    policy: { missingGraceMs: 3 * MINUTE },
    ...(requestMs === undefined ? {} : { requestMs }),
  });
  await loop.destroy(first(await loop.join(4)));
  await loop.passes(3);
  return loop;
}

function first(machines: readonly LabMachine[]): LabMachine {
  const [machine] = machines;
  if (machine === undefined) throw new Error('the lab made no machine');
  return machine;
}

/** A failed pass, and the sentence it has for the server that is to blame. */
async function failedPass(loop: Loop, target: Target): Promise<string> {
  const { failures, outcomes, seen } = await loop.attempt();
  expect([[...failures.keys()], outcomes, seen]).toEqual([[target], [], undefined]);
  return failures.get(target) ?? '';
}

describe.each(SERVERS)('when the answer of %s to %s %s', (target, method, path, request, rows) => {
  it.each(rows)('%s, the pass fails, writes nothing and forgets nothing', async (_, fault, problem) => {
    const loop = await watching(problem === SLOW ? 500 : undefined);
    const lift = loop.lab[target].faults.add(fault, { method, path });
    const sentence = await failedPass(loop, target);
    const server = `${target} at ${loop.lab[target].url}: ${request}: `;
    expect(sentence.slice(0, server.length)).toBe(server);
    expect(sentence.slice(server.length)).toMatch(problem);
    expect(sentence).not.toMatch(/[\p{Cc}]|secret|\.$/u);
    expect(sentence.length).toBeLessThan(500);
    lift();
    loop.clock.advance(60 * MINUTE);

    // One minute was watched before. Of the hour since then two intervals count, and two more are needed.
    await loop.passes(2);
    expect(loop.writes).toEqual([]);
    await loop.pass();
    expect(loop.writes).toEqual(['DELETE 127.1.0.1']);
  });
});

describe.each([
  ['of 200 MiB', huge(200)],
  ['without end', faults.flood],
])('an answer %s', (_, fault) => {
  it.each<[Target, number]>([
    ['fleet', 8],
    ['kubernetes', 128],
  ])('of %s takes no more memory than its limit, %i MiB', async (target, limit) => {
    const loop = await watching();
    loop.lab[target].faults.add(fault);
    const before = process.memoryUsage();
    const peak = { heap: 0, buffers: 0 };
    const sampling = setInterval(() => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      peak.heap = Math.max(peak.heap, (heapUsed - before.heapUsed) / MIB);
      peak.buffers = Math.max(peak.buffers, (arrayBuffers - before.arrayBuffers) / MIB);
    }, 1);
    onTestFinished(() => clearInterval(sampling));
    await failedPass(loop, target);
    expect(peak.heap).toBeLessThan(64);
    expect(peak.buffers).toBeLessThan(limit + 64);
  });
});

describe('a record of fleet', () => {
  /** Three machines with nodes, and records that stand before them on every page of the listing from now on. */
  async function listing(records: string): Promise<{ loop: Loop; machine: LabMachine }> {
    const loop = await startLoop({
      policy: { missingGraceMs: MINUTE, unhealthyGraceMs: MINUTE, nodeLabels: NODE_LABELS },
    });
    const machine = first(await loop.join(3));
    const edit = (body: string) => body.replace('"machines":[', `"machines":[${records},`);
    loop.lab.fleet.faults.add(change((answer) => ({ ...answer, body: edit(answer.body) })));
    return { loop, machine };
  }

  const NODE_LABELS = ['rack', '__proto__', 'constructor'];
  const METADATA = '"metadata":{"role":"kubernetes"}';
  const FIRST_ID = '1'.padStart(32, '0');

  it.each([
    'null',
    '17',
    '"machine"',
    '[]',
    '{}',
    `{"primaryIP":"127.9.0.1",${METADATA}}`,
    `{"id":"",${METADATA}}`,
    `{"id":7,${METADATA}}`,
    `{"id":"a\\nb",${METADATA}}`,
    `{"id":"a b",${METADATA}}`,
    `{"id":"${'a'.repeat(300)}",${METADATA}}`,
    `{"__proto__":{"id":"polluted"},"primaryIP":"127.1.0.1",${METADATA}}`,
  ])('that names no machine is skipped: %s', async (record) => {
    const { loop } = await listing(record);
    const { seen } = await loop.passes(5);
    expect([seen?.observation.skippedRecords, seen?.plan.machines.size]).toEqual([1, 3]);
    expect(loop.writes).toEqual([]);
  });

  it.each([
    'null',
    '5',
    '{}',
    '""',
    '"10.0.0"',
    '"010.0.0.1"',
    '"0.0.0.0"',
    '"255.255.255.255"',
    '"224.0.0.1"',
    '"::"',
    '"fe80::1%eth0"',
    '"127.1.0.1/24"',
    '"127.1.0.1:80"',
    '"127.1.0.1\\n"',
    '"core-1.example"',
  ])('without an address that can be used is listed and no candidate: %s', async (address) => {
    const { loop } = await listing(`{"id":"odd","primaryIP":${address},${METADATA}}`);
    const { seen } = await loop.passes(5);
    expect(seen?.plan.machines.get('odd')?.name).toBe('unusable');
    expect(loop.writes).toEqual([]);
  });

  it.each([
    ['an id twice, with one address', `{"id":"${FIRST_ID}","primaryIP":"127.1.0.1",${METADATA}}`, 'has-node'],
    ['an id twice, with two addresses', `{"id":"${FIRST_ID}","primaryIP":"127.1.0.2",${METADATA}}`, 'unusable'],
    ['an id twice, once without address', `{"id":"${FIRST_ID}",${METADATA}}`, 'has-node'],
    ['an id twice, once without metadata', `{"id":"${FIRST_ID}","primaryIP":"127.1.0.1"}`, 'has-node'],
    ["another machine's address", `{"id":"${'0'.repeat(32)}","primaryIP":"127.1.0.1",${METADATA}}`, 'has-node'],
  ])('that repeats %s costs nobody a node, and makes none', async (_, record, verdict) => {
    const { loop, machine } = await listing(record);
    const report = await loop.passes(5);
    expect(report.seen?.plan.machines.get(machine.id)?.name).toBe(verdict);
    expect(verdictOf(report, machine.address)).toBe('keep');
    expect(loop.writes).toEqual([]);
  });

  it('with poison in its metadata is registered with what labels can hold', async () => {
    const metadata = '{"role":"kubernetes","rack":"a\\u0000b\\r\\n","__proto__":"p","constructor":"c"}';
    const { loop } = await listing(`{"id":"__proto__","primaryIP":"127.1.0.4","metadata":${metadata}}`);
    await loop.lab.kubelets.add('127.1.0.4');
    await loop.passes(3);
    expect(loop.writes).toEqual(['POST 127.1.0.4']);
    const { labels, annotations } = loop.lab.kubernetes.node('127.1.0.4')?.metadata ?? {};
    expect(labels).toEqual({ 'kube-register.io/managed': 'true', rack: 'a-b', proto: 'p', constructor: 'c' });
    expect(annotations).toMatchObject({ 'kube-register.io/machine-id': '__proto__' });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('a node of Kubernetes', () => {
  it.each([
    ['annotations', '{"__proto__":"x","constructor":"y","a":"\\u0000\\r\\n\\u001b[31m"}'],
    ['labels', '{"__proto__":"x","kube-register.io/machine-id":"z"}'],
  ])('with poison in its %s is foreign, and costs nobody anything', async (member, poison) => {
    const loop = await startLoop({ policy: { missingGraceMs: MINUTE } });
    await loop.join(3);
    loop.lab.kubernetes.putNode({ name: 'odd', ready: 'unknown' });
    const edit = (body: string) => body.replace('"name":"odd"', `"name":"odd","${member}":${poison}`);
    loop.lab.kubernetes.faults.add(change((answer) => ({ ...answer, body: edit(answer.body) })));
    expect(verdictOf(await loop.passes(5), 'odd')).toBe('foreign');
    expect(loop.writes).toEqual([]);
  });
});

describe('a dead node of Kubernetes', () => {
  const READY = { type: 'Ready' };
  const STATUS = [
    ['a word for conditions', { conditions: 'none' }],
    ['an object of conditions', { conditions: { Ready: 'Unknown' } }],
    ['conditions that are pairs', { conditions: [['Ready', 'Unknown']] }],
    ['a condition without a type', { conditions: [{ status: 'Unknown' }] }],
    ['a number for the status of Ready', { conditions: [{ ...READY, status: 0 }] }],
    ['no status of Ready', { conditions: [READY] }],
    ['a status of Ready in small letters', { conditions: [{ ...READY, status: 'unknown' }] }],
    [
      'Ready twice, Unknown and False',
      {
        conditions: [
          { ...READY, status: 'Unknown' },
          { ...READY, status: 'False' },
        ],
      },
    ],
  ] as const;
  const UNSCHEDULABLE = [['false'], ['true'], [0], [1], [{}], [[]]].map(([value]) => [
    `${JSON.stringify(value)} for unschedulable`,
    { unschedulable: value },
  ]);
  const SHAPES: readonly (readonly [shape: string, odd: object, verdict: string])[] = [
    ...STATUS.map(([shape, odd]) => [shape, { status: odd }, 'orphan'] as const),
    ['a word for its status', { status: 'down' }, 'orphan'],
    ...UNSCHEDULABLE.map(([shape, odd]) => [String(shape), { spec: odd }, 'vetoed'] as const),
    ['a word for its spec', { spec: 'none' }, 'vetoed'],
  ];

  describe.each([
    ['metadata alone', 'v1.20.2'],
    ['whole nodes', 'v1.9.2'],
  ] as const)('on a server that lists %s', (_what, version) => {
    it.each(SHAPES)('with %s is kept while that lasts, and nothing is written', async (_, odd, verdict) => {
      const loop = await startLoop({ policy: { missingGraceMs: MINUTE } }, { kubernetes: { version } });
      const dead = first(await loop.join(4));
      await loop.destroy(dead);
      const lift = loop.lab.kubernetes.faults.add(withNode(dead.address, odd), { method: 'GET', path: /nodes/ });
      expect(verdictOf(await loop.passFor(5 * MINUTE), dead.address)).toBe(verdict);
      expect(loop.writes).toEqual([]);
      lift();
      await loop.passFor(2 * MINUTE);
      expect(loop.writes).toEqual([`DELETE ${dead.address}`]);
    });
  });

  /** Every answer that has this node whole has this in it. */
  function withNode(name: string, odd: object): Fault {
    const changed = (node: { metadata: { name: string }; status?: unknown }) =>
      node.metadata.name === name && node.status !== undefined ? { ...node, ...odd } : node;
    return change((answer) => {
      const body = JSON.parse(answer.body);
      const edited = Array.isArray(body.items) ? { ...body, items: body.items.map(changed) } : changed(body);
      return { ...answer, body: JSON.stringify(edited) };
    });
  }
});

describe('when the answer to a registration', () => {
  it.each<Row>([
    ['is 500', answerWith(500), /^answered 500 Internal Server Error$/],
    ['is 403', answerWith(403), /^answered 403 Forbidden$/],
    ['redirects', faults.redirectTo('http://else.example/'), /else\.example.* not followed/],
    ['is a conflict of another kind', answerWith(409, '{"reason":"Conflict"}'), /^answered 409 Conflict/],
    ['is a reset', faults.reset, BROKEN],
    ['is lost', faults.loseAnswer, BROKEN],
    ['never comes', faults.hang, SLOW],
    ['drips', faults.dripBody(), SLOW],
    ['never ends', faults.flood, /^the response is larger than \d+ bytes/],
  ])('%s, the others are registered all the same, and it is by the next pass', async (_, fault, problem) => {
    const loop = await startLoop(problem === SLOW ? { requestMs: 500 } : {});
    await loop.lab.addMachines(3, WORKER);
    loop.lab.kubernetes.faults.add(fault, { method: 'POST', times: 1 });
    const { outcomes, failures } = await loop.attempt();
    expect([outcomes.map(({ result }) => result).sort(), [...failures]]).toEqual([['done', 'done', 'failed'], []]);
    const request = `kubernetes at ${loop.lab.kubernetes.url}: POST /api/v1/nodes: `;
    const sentence = outcomes.find(({ result }) => result === 'failed')?.detail ?? '';
    expect(sentence.slice(0, request.length)).toBe(request);
    expect(sentence.slice(request.length)).toMatch(problem);
    await loop.pass();
    expect(loop.nodeNames).toEqual(['127.1.0.1', '127.1.0.2', '127.1.0.3']);
    expect(told(await loop.pass())).toEqual([]);
  });
});
