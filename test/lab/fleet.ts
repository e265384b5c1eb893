/** A fleet whose machines the test sets: the machines API of v0.8.3, v0.11.8 or v1.0.0 over TCP and a unix socket. */
import { z } from 'zod';
import { type Answer, goJson } from './answer.ts';
import { LabServer, type ServerOptions } from './lab-server.ts';
import type { Listener } from './listener.ts';
import type { Received } from './request-log.ts';

export type FleetVersion = '0.8.3' | '0.11.8' | '1.0.0';

/** One machine as its agent announces it. What is left out or empty is left out of the listing too. */
export interface Machine {
  readonly id?: string;
  readonly address?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** `unreachable`: fleet gets no answer from etcd. `no heart beat`: it has given up announcing itself. */
export type EtcdState = 'healthy' | 'unreachable' | 'no heart beat';

export interface FleetOptions extends ServerOptions {
  readonly version?: FleetVersion;
  /** The path of a unix socket to listen on as well. */
  readonly socket?: string;
}

/** How the releases differ. */
const RELEASES = {
  '0.8.3': {
    prefixes: ['/v1-alpha'],
    headers: {},
    otherMethod: { code: 400, message: 'only HTTP GET supported against this resource' },
    noHeartBeat: 'fleet server currently unavailable',
    patch: false,
    listsWithoutId: true,
  },
  '0.11.8': {
    prefixes: ['/fleet/v1', '/v1-alpha'],
    headers: { Server: 'fleetd/0.11.8' },
    otherMethod: { code: 400, message: 'only HTTP GET supported against this resource' },
    noHeartBeat: 'fleet server unable to communicate with etcd',
    patch: false,
    listsWithoutId: true,
  },
  '1.0.0': {
    prefixes: ['/fleet/v1', '/v1-alpha'],
    headers: { Server: 'fleetd/1.0.0' },
    otherMethod: { code: 405, message: 'only GET and PATCH supported against this resource' },
    noHeartBeat: 'fleet server unable to communicate with etcd',
    patch: true,
    listsWithoutId: false,
  },
} as const;

const PAGE = 100;
const JSON_TYPE = { 'Content-Type': 'application/json' };

const METADATA_OPS = z.array(
  z.object({ op: z.string(), path: z.string(), value: z.object({ value: z.string() }).optional() }),
);

const NOT_METADATA_OPS = 'json: cannot unmarshal object into Go value of type []api.machineMetadataOp';

/** A Fleet that listens. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const fleet = new Fleet(options);
  await fleet.start();
  return fleet;
}

export class Fleet extends LabServer {
  /** Can be changed while it runs: an upgrade. */
  version: FleetVersion;
  etcd: EtcdState = 'healthy';
  readonly #tcp: Listener;
  readonly #socket: string | undefined;
  /** By etcd key; undefined is an entry that is not JSON. */
  readonly #entries = new Map<string, Machine | undefined>();
  #listed: readonly Machine[] | undefined;

  constructor({ version = '1.0.0', socket, ...options }: FleetOptions) {
    super(options);
    this.version = version;
    this.#socket = socket;
    this.#tcp = this.addListener({ host: '127.0.0.1', port: 0 });
    if (socket !== undefined) this.addListener({ path: socket });
  }

  /** `http://127.0.0.1:<port>` */
  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.#tcp.port}`;
  }

  /** What FLEET_ENDPOINT would say: the unix socket where there is one, else the URL. */
  get endpoint(): string {
    return this.#socket === undefined ? this.url : `unix://${this.#socket}`;
  }

  /** Announces a machine, or announces it anew. Its etcd key is its id: another key makes a second entry of one id. */
  setMachine(machine: Machine, key = machine.id): void {
    if (key === undefined) throw new Error('a machine without an id needs an etcd key');
    this.#entries.set(key, machine);
    this.#listed = undefined;
  }

  /** Makes one etcd entry something that is not JSON: fleet then cannot list any machine. */
  spoilEntry(key: string): void {
    this.#entries.set(key, undefined);
    this.#listed = undefined;
  }

  removeMachine(key: string): void {
    this.#entries.delete(key);
    this.#listed = undefined;
  }

  removeAllMachines(): void {
    this.#entries.clear();
    this.#listed = undefined;
  }

  protected override answer(request: Received): Answer {
    const release = RELEASES[this.version];
    if (this.etcd === 'no heart beat') return failure(503, release.noHeartBeat);
    const answer = this.#route(request);
    return { ...answer, headers: { ...release.headers, ...answer.headers } };
  }

  #route(request: Received): Answer {
    const { prefixes, otherMethod, patch } = RELEASES[this.version];
    const [path = '', query = ''] = request.path.split('?', 2);
    const clean = path.replace(/\/{2,}/g, '/');
    if (clean !== path) return movedTo(clean);
    if (path === '/' || prefixes.some((prefix) => path === prefix)) return failure(405);
    if (!prefixes.some((prefix) => path === `${prefix}/machines`)) return failure(404);
    if (request.method === 'GET') return this.#page(new URLSearchParams(query).getAll('nextPageToken'));
    if (request.method === 'PATCH' && patch) return this.#changeMetadata(request.body);
    return failure(otherMethod.code, otherMethod.message);
  }

  /** One page by offset: every page reads the machines anew, and a full last page carries a token. */
  #page(tokens: readonly string[]): Answer {
    const page = pageNumber(tokens);
    if (typeof page === 'string') return failure(400, page);
    const machines = this.#machines();
    if (machines === undefined) return failure(500);
    const listed = RELEASES[this.version].listsWithoutId ? machines : machines.filter(({ id }) => id !== undefined);
    const records = listed.slice((page - 1) * PAGE, page * PAGE).map(toRecord);
    const body = {
      ...(records.length > 0 && { machines: records }),
      ...(records.length === PAGE && { nextPageToken: tokenOf(page + 1) }),
    };
    return { status: 200, headers: JSON_TYPE, body: goJson(body) };
  }

  /** In the order of the etcd keys, or undefined when they cannot be read. */
  #machines(): readonly Machine[] | undefined {
    if (this.etcd === 'unreachable') return undefined;
    if (this.#listed !== undefined) return this.#listed;
    const machines: Machine[] = [];
    for (const key of [...this.#entries.keys()].sort()) {
      const machine = this.#entries.get(key);
      if (machine === undefined) return undefined;
      machines.push(machine);
    }
    this.#listed = machines;
    return machines;
  }

  /** Dynamic metadata. A machine that fleet does not know is no error. */
  #changeMetadata(body: string): Answer {
    const ops = METADATA_OPS.safeParse(JSON.parse(body));
    if (!ops.success) return failure(400, NOT_METADATA_OPS);
    for (const { op, path, value } of ops.data) {
      const [, id = '', , key = ''] = path.split('/');
      const machine = this.#entries.get(id);
      if (machine === undefined) continue;
      const { [key]: _, ...others } = machine.metadata ?? {};
      this.setMachine({ ...machine, metadata: op === 'remove' ? others : { ...others, [key]: value?.value ?? '' } });
    }
    return { status: 204, headers: JSON_TYPE, body: '' };
  }
}

function toRecord({ id, metadata = {}, address }: Machine): object {
  const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...(id && { id }),
    ...(sorted.length > 0 && { metadata: Object.fromEntries(sorted) }),
    ...(address && { primaryIP: address }),
  };
}

/** A token is base64url of two little-endian uint16: the limit and the page. */
function tokenOf(page: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(PAGE, 0);
  bytes.writeUInt16LE(page, 2);
  return bytes.toString('base64url').padEnd(8, '=');
}

/** The page that the tokens of a request ask for, or what is wrong with them. */
function pageNumber(tokens: readonly string[]): number | string {
  const [token] = tokens;
  if (token === undefined) return 1;
  if (tokens.length > 1) return 'too many values for page token';
  const illegal = token.search(/[^\w=-]/);
  if (illegal >= 0) return `illegal base64 data at input byte ${illegal}`;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length === 0) return 'EOF';
  if (bytes.length < 4) return 'unexpected EOF';
  if (bytes.readUInt16LE(0) !== PAGE) return `token limit must be ${PAGE}`;
  const page = bytes.readUInt16LE(2);
  return page === 0 ? 'token page must be greater than zero' : page;
}

function failure(code: number, message = ''): Answer {
  return { status: code, headers: JSON_TYPE, body: goJson({ error: { code, message } }) };
}

function movedTo(path: string): Answer {
  const headers = { 'Content-Type': 'text/html; charset=utf-8', Location: path };
  return { status: 301, headers, body: `<a href="${path}">Moved Permanently</a>.\n\n` };
}
