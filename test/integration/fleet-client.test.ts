/** The fleet client against servers that answer as fleet v0.8 to v1.0 do, and against some that do not. */
import type { RequestListener, ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFleetClient } from '../../src/fleet/client.ts';
import type { FleetClient, MachinePage, MachineRecord } from '../../src/fleet/machine.ts';
import { RequestError } from '../../src/http/request-error.ts';
import { clientOf } from './client.ts';
import { serveHttp } from './loopback.ts';

const NEW = '/fleet/v1/machines';
const OLD = '/v1-alpha/machines';

/** What one request gets, by its whole URL; what is not in here is 404, as fleet answers it. */
type Answers = (url: string) => { status?: number; body: unknown; headers?: Record<string, string> } | undefined;

interface Fleet {
  readonly client: FleetClient;
  readonly asked: string[];
}

async function fleetThat(answers: Answers): Promise<Fleet> {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const { status = 200, body, headers = {} } = answers(url) ?? { status: 404, body: error(404, '') };
    send(response, status, body, headers);
  };
  const server = await serveHttp(listener);
  const client = createFleetClient({ http: clientOf('fleet', `http://127.0.0.1:${server.port}`) });
  return { client, asked };
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string>): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function error(code: number, message: string): unknown {
  return { error: { code, message } };
}

/** A fleet whose only page has these machines. */
function fleetWith(machines: unknown): Promise<Fleet> {
  return fleetThat((url) => (url === NEW ? { body: { machines } } : undefined));
}

async function pagesOf({ client }: Fleet, signal = new AbortController().signal): Promise<MachinePage[]> {
  const pages: MachinePage[] = [];
  for await (const page of client.machinePages(signal)) pages.push(page);
  return pages;
}

async function recordsOf(fleet: Fleet): Promise<MachineRecord[]> {
  return (await pagesOf(fleet)).flatMap((page) => page.records);
}

async function problemOf(fleet: Fleet): Promise<string> {
  const outcome: unknown = await pagesOf(fleet).then(
    (pages) => expect.fail(`${pages.length} pages`),
    (reason) => reason,
  );
  expect(outcome).toBeInstanceOf(RequestError);
  return outcome instanceof RequestError ? outcome.message : '';
}

/** A machine as fleet lists it. */
function machine(number: number): { id: string; primaryIP: string } {
  return { id: number.toString(16).padStart(32, '0'), primaryIP: `10.0.0.${number % 250}` };
}

describe('the prefix', () => {
  it('is /fleet/v1 where fleet has it', async () => {
    const fleet = await fleetWith([machine(1)]);
    expect(await recordsOf(fleet)).toHaveLength(1);
    expect(fleet.asked).toEqual([NEW]);
  });

  it('is /v1-alpha on fleet 0.8, and is remembered', async () => {
    const fleet = await fleetThat((url) => (url === OLD ? { body: { machines: [machine(1)] } } : undefined));
    expect(await recordsOf(fleet)).toHaveLength(1);
    expect(await recordsOf(fleet)).toHaveLength(1);
    expect(fleet.asked).toEqual([NEW, OLD, OLD]);
  });

  it('is looked for again when fleet was changed for another release', async () => {
    let served = OLD;
    const fleet = await fleetThat((url) => (url === served ? { body: {} } : undefined));
    await pagesOf(fleet);
    served = NEW;
    await pagesOf(fleet);
    await pagesOf(fleet);
    expect(fleet.asked).toEqual([NEW, OLD, OLD, NEW, NEW]);
  });

  it('is not changed in the middle of a listing', async () => {
    const fleet = await fleetThat((url) => {
      if (url === NEW) return { body: { machines: [machine(1)], nextPageToken: 'ZAACAA==' } };
      return url.startsWith(OLD) ? { body: {} } : undefined;
    });
    expect(await problemOf(fleet)).toMatch(/GET \/fleet\/v1\/machines: answered 404$/);
    expect(fleet.asked).toEqual([NEW, `${NEW}?nextPageToken=ZAACAA%3D%3D`]);
  });

  it('is nowhere on a server that is not fleet', async () => {
    const fleet = await fleetThat(() => undefined);
    expect(await problemOf(fleet)).toContain(
      "this is not fleet's API: /fleet/v1/machines and /v1-alpha/machines are both 404",
    );
  });
});

describe('the pages', () => {
  it('are followed until there is no token; a full last page is followed by an empty answer', async () => {
    const full = (from: number) => Array.from({ length: 100 }, (_, index) => machine(from + index));
    const fleet = await fleetThat((url) => {
      if (url === NEW) return { body: { machines: full(0), nextPageToken: 'ZAACAA==' } };
      if (url === `${NEW}?nextPageToken=ZAACAA%3D%3D`)
        return { body: { machines: full(100), nextPageToken: 'ZAADAA==' } };
      return url === `${NEW}?nextPageToken=ZAADAA%3D%3D` ? { body: {} } : undefined;
    });
    const pages = await pagesOf(fleet);
    expect(pages.map((page) => page.records.length)).toEqual([100, 100, 0]);
    expect(pages[1]?.records[0]).toEqual({ ...recordOf(100), metadata: new Map() });
  });

  it('are read again where fleet changed them alone', async () => {
    let last = [machine(2)];
    const fleet = await fleetThat((url) =>
      url === NEW ? { body: { machines: [machine(1)], nextPageToken: 'ZAACAA==' } } : { body: { machines: last } },
    );
    const before = await pagesOf(fleet);
    last = [machine(2), machine(3)];
    const after = await pagesOf(fleet);
    expect(after[0]).toBe(before[0]);
    expect(after[1]?.records.map(({ address }) => address)).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(await pagesOf(fleet)).toEqual(after);
  });

  it('come one by one, before the next is asked for', async () => {
    const fleet = await fleetThat(() => ({ body: { machines: [machine(1)], nextPageToken: 'again' } }));
    for await (const page of fleet.client.machinePages(new AbortController().signal)) {
      expect(page.records).toHaveLength(1);
      break;
    }
    expect(fleet.asked).toEqual([NEW]);
  });

  it('are none of a cluster without machines', async () => {
    const fleet = await fleetThat(() => ({ body: {} }));
    expect(await pagesOf(fleet)).toEqual([{ records: [], skipped: 0 }]);
  });

  it('end with an error when a token comes twice', async () => {
    const fleet = await fleetThat((url) => ({ body: { nextPageToken: url.endsWith('=a') ? 'b' : 'a' } }));
    expect(await problemOf(fleet)).toContain('the list of machines repeats a page token');
    expect(fleet.asked).toHaveLength(3);
  });

  it('end with an error when there are more than a thousand', async () => {
    let page = 0;
    const fleet = await fleetThat(() => {
      page += 1;
      return { body: { nextPageToken: `${page}` } };
    });
    expect(await problemOf(fleet)).toContain('more than 1000 pages');
    expect(fleet.asked).toHaveLength(1000);
  });

  it('end with an error when they are more than 128 MiB together', async () => {
    const padding = 'x'.repeat(7 * 1024 * 1024);
    let page = 0;
    const fleet = await fleetThat(() => {
      page += 1;
      return { body: `{"nextPageToken":"${page}","padding":"${padding}"}` };
    });
    expect(await problemOf(fleet)).toContain('the list of machines is larger than 128 MiB');
    expect(fleet.asked).toHaveLength(19);
  });

  it('end with an error when one is larger than 8 MiB', async () => {
    const fleet = await fleetThat(() => ({ body: `{"padding":"${'x'.repeat(8 * 1024 * 1024)}"}` }));
    expect(await problemOf(fleet)).toContain('larger than 8388608 bytes');
  });

  it('are not asked for any more once the pass is over', async () => {
    const stop = new AbortController();
    const fleet = await fleetThat((url) => ({ body: { nextPageToken: `${url}x` } }));
    const reason = new Error('the pass is over');
    const listing = fleet.client.machinePages(stop.signal)[Symbol.asyncIterator]();
    await listing.next();
    stop.abort(reason);
    await expect(listing.next()).rejects.toBe(reason);
    expect(fleet.asked).toHaveLength(1);
  });
});

describe('an answer that is no listing', () => {
  it.each([
    ['a list', [], 'unexpected JSON at the top level: expected object, received array'],
    ['null', 'null', 'unexpected JSON at the top level: expected object, received null'],
    ['machines that are no list', { machines: {} }, 'unexpected JSON at machines: expected array, received object'],
    ['machines that are null', { machines: null }, 'unexpected JSON at machines: expected array, received null'],
    [
      'a token that is a number',
      { nextPageToken: 2 },
      'unexpected JSON at nextPageToken: expected string, received number',
    ],
    ['half a page', '{"machines":[{"id":"a"', 'that is not JSON'],
    [
      "fleet's own error, called a success",
      { error: { code: 503, message: 'etcd gone' } },
      'this is not a list of fleet machines',
    ],
    [
      'a Status of Kubernetes',
      { kind: 'Status', status: 'Failure', code: 503 },
      'this is not a list of fleet machines',
    ],
    ['machines under another name', { Machines: [] }, 'this is not a list of fleet machines'],
    ['a page for people', '<html>Hello</html>', 'that is not JSON: "<html>Hello</html>"'],
  ])('%s is an error, never an empty listing', async (_name, body, problem) => {
    expect(await problemOf(await fleetThat(() => ({ body })))).toContain(problem);
  });

  it.each([
    [500, error(500, ''), 'answered 500: fleet cannot read its machines from etcd'],
    [
      503,
      error(503, 'fleet server unable to communicate with etcd'),
      'answered 503 "fleet server unable to communicate with etcd": fleet cannot write its heartbeat to etcd',
    ],
    [400, error(400, 'token limit must be 100'), 'answered 400 "token limit must be 100"'],
    [502, '<html>', 'answered 502'],
    [204, '', 'answered 204'],
    [403, error(403, `\u001b[2J${'x'.repeat(1000)}`), 'answered 403 "\\u001b[2J'],
  ])('%i is an error with what fleet said and what it means', async (status, body, problem) => {
    const message = await problemOf(await fleetThat(() => ({ status, body })));
    expect(message).toContain(problem);
    expect(message.length).toBeLessThan(400);
  });

  it.each([
    [
      '401 of a proxy',
      401,
      '',
      'a proxy in front of it refused the request; check KUBE_REGISTER_FLEET_ENDPOINT, KUBE_REGISTER_FLEET_CERT_FILE',
    ],
    [
      'nginx that wants a certificate',
      400,
      '<title>400 No required SSL certificate was sent</title>',
      'KUBE_REGISTER_FLEET_KEY_FILE',
    ],
    ['nginx that speaks TLS', 400, 'The plain HTTP request was sent to HTTPS port', 'must begin with https://'],
    ['a Go server that speaks TLS', 400, 'Client sent an HTTP request to an HTTPS server.', 'must begin with https://'],
  ])('%s says which setting to look at', async (_name, status, body, advice) => {
    expect(await problemOf(await fleetThat(() => ({ status, body })))).toContain(advice);
  });

  it('a redirect is refused', async () => {
    const headers = { Location: 'http://user:secret@other.example/fleet/v1/machines?token=secret' };
    const fleet = await fleetThat(() => ({ status: 301, body: '', headers }));
    expect(await problemOf(fleet)).toMatch(/answered 301, redirected to "other.example"; redirects are not followed$/);
    expect(fleet.asked).toEqual([NEW]);
  });
});

describe('a record', () => {
  it('keeps all that fleet says of the machine, character by character', async () => {
    const metadata = { role: 'kubernetes', kubernetes: '', odd: 'a\u0000b\u001b[31m', ü: '<&>', __proto__x: '1' };
    const [record] = await recordsOf(await fleetWith([{ id: 'abc', primaryIP: '10.0.0.1', metadata, more: 1 }]));
    expect(record).toEqual({
      id: 'abc',
      address: '10.0.0.1',
      problem: undefined,
      metadata: new Map(Object.entries(metadata)),
    });
  });

  it.each([
    ['is not an object', 7],
    ['is null', null],
    ['has no id', { primaryIP: '10.0.0.1' }],
    ['has an empty id', { id: '' }],
    ['has an id with a space', { id: 'a b' }],
    ['has an id with a line break', { id: 'a\n' }],
    ['has an id that is no ASCII', { id: 'ä' }],
    ['has an id that is too long', { id: 'a'.repeat(254) }],
    ['has an id that is a number', { id: 1 }],
  ])('that %s is skipped and counted, and the others are not lost', async (_why, raw) => {
    const [page] = await pagesOf(await fleetWith([machine(1), raw, machine(2)]));
    expect(page).toEqual({ records: [recordOf(1), recordOf(2)], skipped: 1 });
  });

  it.each([
    [undefined, 'no address'],
    ['', 'no address'],
    [null, 'no address'],
    [10, 'the address is not a string but number'],
    ['10.0.0', '"10.0.0" is not an IP address'],
    ['10.0.0.01', '"10.0.0.01" is not an IP address'],
    ['a\n\u202e\u0085b', '"a\\n\\u202e\\u0085b" is not an IP address'],
    ['x'.repeat(1000), `"${'x'.repeat(64)}…" is not an IP address`],
    [
      '127.0.0.1',
      '"127.0.0.1" is the loopback address: fleetd started before the network was up; restart fleetd on that machine, or set public_ip in its fleet.conf',
    ],
    ['0.0.0.0', '"0.0.0.0" is unspecified: it is not the address of one machine'],
    ['169.254.3.4', '"169.254.3.4" is a link-local address, which other machines cannot reach reliably'],
    ['fe80::1%eth0', '"fe80::1%eth0" cannot be the address of a machine'],
    ['ff02::1', '"ff02::1" is a multicast address, not the address of a machine'],
    ['255.255.255.255', '"255.255.255.255" is the broadcast address, not the address of a machine'],
  ])('with the address %j is listed without one, and says why', async (primaryIP, problem) => {
    const [record] = await recordsOf(await fleetWith([{ id: 'a', primaryIP }]));
    expect(record).toEqual({ id: 'a', address: undefined, problem, metadata: new Map() });
  });

  it('has its IPv6 address in the canonical form', async () => {
    const [record] = await recordsOf(await fleetWith([{ id: 'a', primaryIP: '2001:DB8:0::1' }]));
    expect(record).toMatchObject({ address: '2001:db8::1', problem: undefined });
  });

  it.each([
    ['a list', ['a'], []],
    ['a text', 'role=kubernetes', []],
    ['null', null, []],
    ['a map with other things', { a: 1, b: null, c: 'd', e: ['f'] }, [['c', 'd']]],
  ])('with %s for metadata has what is text in it', async (_name, metadata, pairs) => {
    const [record] = await recordsOf(await fleetWith([{ id: 'a', primaryIP: '10.0.0.1', metadata }]));
    expect([...(record?.metadata ?? [])]).toEqual(pairs);
  });
});

describe('any JSON at all', () => {
  it('is a listing or a RequestError, and no record is without an id', async () => {
    let body: unknown;
    const fleet = await fleetThat(() => ({ body }));
    const record = fc.record(
      {
        id: fc.oneof(fc.string(), fc.jsonValue()),
        primaryIP: fc.oneof(fc.ipV4(), fc.string(), fc.jsonValue()),
        metadata: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const listing = fc.record({ machines: fc.array(fc.oneof(record, fc.jsonValue())) });
    await fc.assert(
      fc.asyncProperty(fc.oneof(listing, fc.jsonValue()), async (json) => {
        body = JSON.stringify(json);
        const pages = await pagesOf(fleet).catch((reason: unknown) => {
          expect(reason).toBeInstanceOf(RequestError);
          return [];
        });
        for (const { id, address, problem } of pages.flatMap((page) => page.records)) {
          expect(id).toMatch(/^[!-~]{1,253}$/);
          expect(address === undefined).toBe(problem !== undefined);
          expect(problem ?? '').not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function recordOf(number: number): MachineRecord {
  const { id, primaryIP } = machine(number);
  return { id, address: primaryIP, problem: undefined, metadata: new Map() };
}
