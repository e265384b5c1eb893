/**
 * An API server of 2014 or early 2015 that keeps minions: v0.2, v0.4.4, v0.5.6, v0.8.4 or v0.9.3, over real HTTP. Recordings are named where our
 * clients rely on a behaviour or defend against it.
 */
import { randomUUID } from 'node:crypto';
import { type Answer, goJson, send } from '../answer.ts';
import type { Fault } from '../faults.ts';
import { LabServer, type ServerOptions } from '../lab-server.ts';
import type { Listener } from '../listener.ts';
import type { Received } from '../request-log.ts';
import { Health } from './health.ts';
import { type Form, isGhost, itemOf, listLink, MINION_INPUT, type Minion, minionOf } from './minion.ts';
import { Operations } from './operations.ts';
import { type MinionsVersion, NO_SUCH_RESOURCE, RELEASES, type Release } from './releases.ts';

export type { MinionsVersion } from './releases.ts';

export interface MinionsOptions extends ServerOptions {
  readonly version: MinionsVersion;
  /** Where the server asks kubelets: 10250 in the real one. */
  readonly kubeletPort: number;
  /** ms, for the cache of v0.4.4; the real time where it is left out. */
  readonly clock?: () => number;
  /** `-health_check_minions`, which is on unless it is switched off. */
  readonly healthChecks?: boolean;
}

const PATH = /^\/api\/(?<api>v1beta\d)\/(?<resource>minions|nodes)(?:\/(?<id>[^/]*))?$/;
const OPERATION_PATH = /^\/api\/(?<api>v1beta\d)\/operations(?:\/(?<id>\d+))?$/;

export async function startMinions(options: MinionsOptions): Promise<Minions> {
  const server = new Minions(options);
  await server.start();
  return server;
}

export class Minions extends LabServer {
  readonly version: MinionsVersion;
  /** Writes take longer than the 25 ms that the server waits: it answers 202, unless it is asked to wait. */
  slowStore = false;
  readonly #release: Release;
  readonly #tcp: Listener;
  readonly #health: Health;
  readonly #operations = new Operations();
  readonly #minions = new Map<string, Minion>();
  #revision = 1;

  constructor({ version, kubeletPort, clock = Date.now, healthChecks = true, ...options }: MinionsOptions) {
    super(options);
    this.version = version;
    this.#release = RELEASES[version];
    this.#health = new Health({ kubeletPort, clock, cacheMs: this.#release.cacheMs, enabled: healthChecks });
    this.#tcp = this.addListener({ host: '127.0.0.1', port: 0 });
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.#tcp.port}`;
  }

  /** Every minion that is stored, listed or not. */
  get minions(): readonly Minion[] {
    return [...this.#minions.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  minion(id: string): Minion | undefined {
    return this.#minions.get(id);
  }

  /** What an operator creates by hand. */
  putMinion(input: Partial<Minion> & Pick<Minion, 'id'>): void {
    this.#store({ hostIP: undefined, labels: {}, annotations: {}, resources: {}, ...input });
  }

  /** Straight in the store. */
  deleteMinion(id: string): void {
    this.#revision += 1;
    this.#minions.delete(id);
  }

  /** The server's process is started anew: v0.2 keeps its minions in memory. */
  restartProcess(): void {
    if (!this.#release.hasRevision) this.#minions.clear();
  }

  /** Kubelets are asked before a request is answered: a kubelet that hangs holds the answer up. */
  protected override faultFor(request: Received): Fault | undefined {
    return (
      super.faultFor(request) ?? ((response, handle) => void this.#ask(request).then(() => send(response, handle())))
    );
  }

  protected override answer(request: Received): Answer {
    const { pathname, searchParams: query } = new URL(request.path, 'http://lab');
    const release = this.#release;
    const ofServer = pathname === '/version' || (release.listsApis && /^\/api\/?$/.test(pathname));
    if (ofServer && release.wantsAnyForm && !takesAnyForm(request)) return text(406, '406: Not Acceptable');
    if (pathname === '/version') {
      const [, minor] = release.gitVersion.split(/^v0\./);
      return json(200, {
        major: '0',
        minor,
        gitVersion: release.gitVersion,
        gitCommit: '',
        gitTreeState: 'not a git tree',
      });
    }
    if (pathname === '/healthz') return text(200, 'ok');
    if (ofServer) return json(200, { versions: release.apis });
    const operation = OPERATION_PATH.exec(pathname)?.groups;
    if (operation !== undefined && release.operations) {
      const known = this.#operations.read(operation['api'] ?? '', operation['id']);
      if (known !== undefined) return json(known.status, known.body);
    }
    const form = this.#form(pathname);
    if (form === undefined) return text(404, release.pathMissing(request.path));
    return form.id === '' ? this.#collection(request, form, query) : this.#one(request, form, query);
  }

  #form(pathname: string): (Form & { readonly id: string }) | undefined {
    const { api = '', resource = '', id = '' } = PATH.exec(pathname)?.groups ?? {};
    const release = this.#release;
    if (!release.apis.some((each) => each === api) || !release.resources.includes(resource)) return undefined;
    const name = decodeURIComponent(id);
    return name.includes('/') ? undefined : { release, api, resource, id: name };
  }

  /** Asks the kubelets that the server would ask before it answers this request. */
  async #ask({ method, path, body }: Received): Promise<void> {
    const form = this.#form(new URL(path, 'http://lab').pathname);
    if (form === undefined) return;
    const ids = [...this.#minions.keys()];
    if (form.id !== '') return this.#health.refreshOne(form.id);
    if (method === 'GET') return this.#health.refresh(ids, { force: false });
    if (method !== 'POST' || this.#release.createAsks === 'no') return;
    const id = MINION_INPUT.safeParse(parsed(body)).data?.id;
    const isThere = id !== undefined && this.#minions.has(id);
    if (id !== undefined && !(isThere && this.#release.conflicts))
      await this.#health.refresh([...ids, id], { force: true });
  }

  #collection(request: Received, form: Form, query: URLSearchParams): Answer {
    if (request.method === 'GET') return this.#list(form);
    if (request.method === 'POST') {
      const create = () => this.#create(parsed(request.body), form);
      return this.#operation(form, query, create);
    }
    return this.#noSuchMethod(request);
  }

  #list(form: Form): Answer {
    const { release } = form;
    const items = this.minions
      .filter(({ id }) => release.dead === 'shown' || this.#health.isHealthy(id))
      .map((minion) => itemOf(minion, form, this.#readinessOf(minion)))
      .sort((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1));
    const both = form.api === 'v1beta1' && items.length > 0;
    const saysRevision = release.hasRevision && (release.dead === 'shown' || !this.#health.enabled);
    return json(200, {
      kind: 'MinionList',
      creationTimestamp: null,
      ...(release.hasRevision && { selfLink: listLink(form) }),
      ...(saysRevision && { resourceVersion: this.#revision }),
      apiVersion: form.api,
      ...(both && { minions: items }),
      ...((items.length > 0 || release.emptyItems) && { items }),
    });
  }

  #create(body: unknown, form: Form): Answer {
    const { release } = form;
    const input = MINION_INPUT.safeParse(body);
    if (!input.success) return this.#failure(500, form, "couldn't get version/kind");
    const { kind, apiVersion, id, labels, ...content } = input.data;
    if (kind !== 'Minion' && !(kind === 'Node' && release.resources.includes('nodes'))) {
      return this.#failure(500, form, `data of kind '${kind}', obj of type 'Minion'`);
    }
    if (apiVersion !== form.api)
      return this.#failure(500, form, `Unable to create new object of type ('${apiVersion}', 'Minion')`);
    const refused = Object.keys(labels).find((key) => !release.labelKey.pattern.test(key));
    if (refused !== undefined) return this.#refusedLabel(id, refused, form);
    const old = this.#minions.get(id);
    if (old !== undefined && release.conflicts) return this.#exists(id, form);
    // "create minion with no kubelet" of v0.2-healthcheck-default.json
    if (release.createAsks === 'refuses' && !this.#health.isHealthy(id)) {
      return this.#failure(500, form, `unable to add minion &api.Minion{JSONBase:api.JSONBase{ID:"${id}"}}`);
    }
    const kept = release.keeps;
    const minion = this.#store({
      id,
      hostIP: kept.hostIp ? content.hostIP : undefined,
      labels: kept.labels ? labels : {},
      annotations: kept.annotations ? content.annotations : {},
      resources: content.resources ?? {},
    });
    // "create minion with no kubelet" of v0.4.4-healthcheck-default.json: it is stored all the same.
    const isLost = release.createAsks === 'stores' && !this.#health.isHealthy(id);
    if (isLost || isGhost(minion, release))
      return this.#failure(500, form, NO_SUCH_RESOURCE, { selfLink: listLink(form) });
    return json(200, minionOf(minion, form, { isCreated: true }));
  }

  #one(request: Received, form: Form & { readonly id: string }, query: URLSearchParams): Answer {
    const { id, release } = form;
    const minion = this.#minions.get(id);
    const isShown = release.dead === 'shown' || this.#health.isHealthy(id);
    switch (request.method) {
      case 'GET':
        if (minion !== undefined && isShown) {
          return json(200, minionOf(minion, form, { ready: this.#readinessOf(minion) }));
        }
        if (minion !== undefined) return this.#failure(500, form, release.unhealthy);
        return release.getMissing === 404 ? this.#missing(id, form) : this.#failure(500, form, NO_SUCH_RESOURCE);
      case 'DELETE':
        return this.#operation(form, query, () => {
          // "delete unhealthy one": the minion stays, whatever the answer is to somebody who asks again.
          if (minion === undefined || !isShown) return this.#failure(500, form, NO_SUCH_RESOURCE);
          this.deleteMinion(id);
          return json(200, { kind: 'Status', creationTimestamp: null, apiVersion: form.api, status: this.#success });
        });
      case 'PUT':
        if (release.conflicts && release.listsApis) break;
        return this.#failure(500, form, 'Minions can only be created (inserted) and deleted.');
    }
    return this.#noSuchMethod(request);
  }

  /** What a server that shows dead minions says of one; undefined where it does not tell. */
  #readinessOf({ id }: Minion): boolean | undefined {
    return this.#release.dead === 'shown' && this.#health.enabled ? this.#health.isHealthy(id) : undefined;
  }

  /** "slow store: create without sync" and "... with sync=true&timeout=200ms": 202, and the write goes on. */
  #operation({ api, release }: Form, query: URLSearchParams, write: () => Answer): Answer {
    if (!this.slowStore || !release.operations) return write();
    const waits = query.get('sync') === 'true' && !query.has('timeout');
    const { status, body } = this.#operations.begin(
      api,
      () => {
        const done = write();
        return { status: done.status, body: JSON.parse(done.body) };
      },
      waits,
    );
    return json(status, body);
  }

  #store(content: Omit<Minion, 'uid' | 'revision' | 'creationTimestamp'>): Minion {
    this.#revision += 1;
    const creationTimestamp = new Date().toISOString().replace(/\.\d+/, '');
    const minion = { ...content, uid: randomUUID(), revision: this.#revision, creationTimestamp };
    this.#minions.set(minion.id, minion);
    return minion;
  }

  get #success(): string {
    return this.#release.failure === 'failure' ? 'success' : 'Success';
  }

  #failure(status: number, { api, release }: Form, message: string, more: object = {}): Answer {
    const said = { kind: 'Status', creationTimestamp: null, apiVersion: api, status: release.failure, message };
    return json(status, { ...said, ...more, code: status });
  }

  #exists(id: string, form: Form): Answer {
    const details = { id, kind: 'minion' };
    const more = { selfLink: listLink(form), reason: 'AlreadyExists', details };
    return this.#failure(409, form, `minion "${id}" already exists`, more);
  }

  #missing(id: string, form: Form): Answer {
    return this.#failure(404, form, `minion "${id}" not found`, {
      reason: 'NotFound',
      details: { id, kind: 'minion' },
    });
  }

  #refusedLabel(id: string, key: string, form: Form): Answer {
    const { field, reason, word } = form.release.labelKey;
    const message = `${field}: ${word} value '${key}'`;
    const details = { id, kind: 'minion', causes: [{ reason, message, field }] };
    return this.#failure(422, form, `minion "${id}" is invalid: ${message}`, { reason: 'Invalid', details });
  }

  #noSuchMethod({ path }: Received): Answer {
    const { status, body } = this.#release.methodMissing;
    return text(status, body(path));
  }
}

/** The routes of v0.5 to v0.8 for these paths declare no type, so that only a client that takes any gets an answer. */
function takesAnyForm({ headers: { accept } }: Received): boolean {
  return accept === undefined || accept.split(',').some((range) => range.split(';')[0]?.trim() === '*/*');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function json(status: number, value: object): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: goJson(value) };
}

function text(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}
