/** fleet's machines API over HTTP: finds the prefix, follows the pages, and refuses a listing that is not whole. */
import { hash } from 'node:crypto';
import { isIP } from 'node:net';
import * as z from 'zod';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseJson } from '../http/json.ts';
import { parseNested } from '../http/nesting.ts';
import { type Reserved, reservedAs, usableAddress } from '../network/address.ts';
import { quote } from '../text/quote.ts';
import { unchangedMap } from '../text/unchanged.ts';
import type { FleetClient, MachinePage, MachineRecord } from './machine.ts';

/** fleet v0.8 serves the second only; v0.9 to v1.0 serve both. What a server lacks is 404. */
const PATHS = ['/fleet/v1/machines', '/v1-alpha/machines'] as const;
type Path = (typeof PATHS)[number];

const MIB = 1024 * 1024;
/** A page of 100 machines has some 10 kB. */
const MAX_PAGE_BYTES = 8 * MIB;
/** Together these are far beyond any cluster, and end a listing that never would. */
const MAX_LISTING_BYTES = 128 * MIB;
const MAX_PAGES = 1000;

/** fleet leaves out what is empty: of a cluster without machines all that comes is `{}` (v0.8 to v1.0). */
const pageSchema = z
  .looseObject({ machines: z.array(z.unknown()).optional(), nextPageToken: z.string().optional() })
  .refine(
    (page) => page.machines !== undefined || page.nextPageToken !== undefined || Object.keys(page).length === 0,
    'neither machines nor nextPageToken, and not empty: this is not a list of fleet machines; check KUBE_REGISTER_FLEET_ENDPOINT',
  );
const recordSchema = z.object({
  // Printable ASCII without spaces, so that it fits in an annotation, a URL and a log line.
  id: z.string().regex(/^[\x21-\x7e]{1,253}$/),
  primaryIP: z.unknown().optional(),
  metadata: z.unknown().optional(),
});
const errorSchema = z.object({ error: z.object({ message: z.string().min(1) }) });

interface Exchange {
  readonly request: HttpRequest;
  readonly answer: HttpAnswer;
}

interface ReadPage {
  /** Of the body that it was read from, which may have 8 MiB. */
  readonly digest: string;
  readonly page: MachinePage;
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

export function createFleetClient({ http }: { http: HttpClient }): FleetClient {
  let path: Path = PATHS[0];
  /** The last complete listing, by the tokens that its pages were asked for with; empty for the first. */
  let listed: ReadonlyMap<string, ReadPage> = new Map();

  async function* machinePages(signal: AbortSignal): AsyncGenerator<MachinePage, void> {
    const pages = new Map<string, ReadPage>();
    let bytes = 0;
    let token = '';
    let exchange = await askForFirstPage(signal);
    for (;;) {
      const { request, answer } = exchange;
      const read = readPage(exchange, listed.get(token));
      bytes += answer.bytes;
      if (bytes > MAX_LISTING_BYTES)
        throw http.failure(request, `the list of machines is larger than ${MAX_LISTING_BYTES / MIB} MiB`);
      pages.set(token, read);
      yield read.page;
      token = read.nextPageToken;
      if (token === '') {
        listed = pages;
        return;
      }
      if (pages.has(token)) throw http.failure(request, 'the list of machines repeats a page token');
      if (pages.size >= MAX_PAGES) throw http.failure(request, `the list of machines has more than ${MAX_PAGES} pages`);
      exchange = await ask(path, signal, token);
    }
  }

  /** Asks at the path that worked last, and at the other one where that is 404. */
  async function askForFirstPage(signal: AbortSignal): Promise<Exchange> {
    const known = await ask(path, signal);
    if (known.answer.status !== 404) return known;
    const otherPath = path === PATHS[0] ? PATHS[1] : PATHS[0];
    const other = await ask(otherPath, signal);
    if (other.answer.status === 404) {
      const problem = `this is not fleet's API: ${PATHS.join(' and ')} are both 404; check KUBE_REGISTER_FLEET_ENDPOINT`;
      throw http.failure(other.request, problem, other.answer);
    }
    if (other.answer.status === 200) path = otherPath;
    return other;
  }

  async function ask(at: Path, signal: AbortSignal, nextPageToken?: string): Promise<Exchange> {
    const query = nextPageToken === undefined ? {} : { nextPageToken };
    const request: HttpRequest = { method: 'GET', path: at, query, maxBytes: MAX_PAGE_BYTES, signal };
    return { request, answer: await http.send(request) };
  }

  /** `before` where fleet repeats it: only a change of its machines changes a page. */
  function readPage({ request, answer }: Exchange, before: ReadPage | undefined): ReadPage {
    if (answer.status !== 200) throw http.failure(request, refusal(answer), answer);
    const digest = hash('sha256', answer.body);
    if (digest === before?.digest) return before;
    const { machines, nextPageToken } = parseJson(http, request, answer, pageSchema);
    // The last page has no token; an empty one is the same to fleet.
    return { digest, page: parseMachines(machines ?? []), nextPageToken: nextPageToken ?? '' };
  }

  return { machinePages, close: () => http.close() };
}

/** Why fleet gave no page, with its own words where it has any. */
function refusal(answer: HttpAnswer): string {
  if (answer.redirectedTo !== undefined) {
    return `answered ${answer.status}, redirected to ${quote(answer.redirectedTo)}; redirects are not followed`;
  }
  const words = messageOf(answer.body);
  const said = `answered ${answer.status}${words === undefined ? '' : ` ${quote(words)}`}`;
  switch (answer.status) {
    case 500:
      return `${said}: fleet cannot read its machines from etcd: is etcd healthy?`;
    case 503:
      return `${said}: fleet cannot write its heartbeat to etcd; it recovers within a minute after etcd does`;
    case 401:
    case 403:
      return `${said}: ${PROXY}; check KUBE_REGISTER_FLEET_ENDPOINT, KUBE_REGISTER_FLEET_CERT_FILE and KUBE_REGISTER_FLEET_KEY_FILE`;
    case 400:
      return proxyRefusal(said, answer.body);
    default:
      return said;
  }
}

const PROXY = 'fleet does not authenticate clients, so a proxy in front of it refused the request';

/** The words are nginx's, then Go's, for a client certificate and for plain HTTP where TLS is spoken. */
function proxyRefusal(said: string, body: string): string {
  if (/No required SSL certificate|The SSL certificate error/.test(body)) {
    return `${said}: ${PROXY}: it requires a client certificate that it trusts: set KUBE_REGISTER_FLEET_CERT_FILE and KUBE_REGISTER_FLEET_KEY_FILE`;
  }
  if (/HTTP request (was sent )?to (an )?HTTPS/.test(body)) {
    return `${said}: this port speaks TLS: KUBE_REGISTER_FLEET_ENDPOINT must begin with https://`;
  }
  return said;
}

/** fleet's errors are `{"error":{"code":503,"message":"..."}}`, often with an empty message. */
function messageOf(body: string): string | undefined {
  try {
    const parsed = errorSchema.safeParse(parseNested(body));
    return parsed.success ? parsed.data.error.message : undefined;
  } catch {
    return undefined;
  }
}

/** Most machines have the metadata of the machine above: then it is the same map. */
function parseMachines(machines: readonly unknown[]): MachinePage {
  const records: MachineRecord[] = [];
  for (const raw of machines) {
    const record = parseMachine(raw, records.at(-1)?.metadata ?? NO_METADATA);
    if (record !== undefined) records.push(record);
  }
  return { records, skipped: machines.length - records.length };
}

const NO_METADATA: MachineRecord['metadata'] = new Map();

/** Undefined for a record that names no machine: fleet lists an entry without an id where etcd holds one (v0.8 to v0.11). */
function parseMachine(raw: unknown, metadataAbove: MachineRecord['metadata']): MachineRecord | undefined {
  const parsed = recordSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { id, primaryIP, metadata } = parsed.data;
  const address = typeof primaryIP === 'string' ? usableAddress(primaryIP) : undefined;
  const problem = address === undefined ? addressProblem(primaryIP) : undefined;
  return { id, address, problem, metadata: unchangedMap(metadataAbove, parseMetadata(metadata)) };
}

function addressProblem(primaryIP: unknown): string {
  if (primaryIP === undefined || primaryIP === null || primaryIP === '') return 'no address';
  if (typeof primaryIP !== 'string') return `the address is not a string but ${typeof primaryIP}`;
  if (isIP(primaryIP) === 0) return `${quote(primaryIP)} is not an IP address`;
  const reserved = reservedAs(primaryIP);
  return `${quote(primaryIP)} ${reserved === undefined ? 'cannot be the address of a machine' : RESERVED[reserved]}`;
}

/** A fleetd that starts before the network announces 127.0.0.1, and keeps it: https://github.com/coreos/bugs/issues/1338 */
const RESERVED: Readonly<Record<Reserved, string>> = {
  loopback:
    'is the loopback address: fleetd started before the network was up; restart fleetd on that machine, or set public_ip in its fleet.conf',
  unspecified: 'is unspecified: it is not the address of one machine',
  'link-local': 'is a link-local address, which other machines cannot reach reliably',
  multicast: 'is a multicast address, not the address of a machine',
  broadcast: 'is the broadcast address, not the address of a machine',
};

function parseMetadata(metadata: unknown): ReadonlyMap<string, string> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return NO_METADATA;
  return new Map(Object.entries(metadata).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
