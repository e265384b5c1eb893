/** Who the daemon is and what it may do: deploy/rbac.yaml, applied by the administrator, and a token of its ServiceAccount. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { Servers } from './servers.ts';

const OBJECT = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
});
type KubernetesObject = z.infer<typeof OBJECT>;

const ROLE = OBJECT.extend({ rules: z.array(z.looseObject({ verbs: z.array(z.string()) })) });
const TOKEN = z.object({ status: z.object({ token: z.string() }) });
const REVIEW = z.object({ status: z.object({ allowed: z.boolean() }) });
const RULE = z.object({
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  resourceNames: z.array(z.string()).optional(),
  verbs: z.array(z.string()),
});
const RULES = z.object({ status: z.object({ resourceRules: z.array(RULE) }) });

const RBAC = 'rbac.authorization.k8s.io';

/** Where each kind of deploy/rbac.yaml is posted. */
const PATHS: Readonly<Record<string, (namespace: string) => string>> = {
  Namespace: () => '/api/v1/namespaces',
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  ClusterRole: () => `/apis/${RBAC}/v1/clusterroles`,
  ClusterRoleBinding: () => `/apis/${RBAC}/v1/clusterrolebindings`,
  Role: (namespace) => `/apis/${RBAC}/v1/namespaces/${namespace}/roles`,
  RoleBinding: (namespace) => `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings`,
};

const REVIEWS = '/apis/authorization.k8s.io/v1';
const MERGE_PATCH = 'application/merge-patch+json';

/** The verbs on nodes that deploy/rbac.yaml grants. */
export const GRANTED_VERBS: readonly string[] = ROLE.parse(theOnly('ClusterRole')).rules.flatMap(({ verbs }) => verbs);

export class Rights {
  readonly #servers: Servers;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** Applies deploy/rbac.yaml as `kubectl apply` would on a new cluster. */
  async apply(): Promise<void> {
    for (const object of objects()) await this.#post(object);
  }

  /** Resolves when the server minds what was applied. */
  async areGranted(token: string): Promise<void> {
    for (const verb of GRANTED_VERBS) await this.#until(verb, token, true);
    await this.#until('create', token, true, 'events');
  }

  /** A token as a program in that ServiceAccount gets it. */
  async token(): Promise<string> {
    const { name, namespace = '' } = theOnly('ServiceAccount').metadata;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: { expirationSeconds: 3600 } };
    return TOKEN.parse(await this.#servers.admin(path, { method: 'POST', body })).status.token;
  }

  /** What a token may do to resources, in a namespace and to what is in none, according to the server. */
  async rulesOf(token: string, namespace: string): Promise<z.infer<typeof RULE>[]> {
    const body = {
      kind: 'SelfSubjectRulesReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec: { namespace },
    };
    const answer = await this.#servers.api.ask(`${REVIEWS}/selfsubjectrulesreviews`, { method: 'POST', token, body });
    return RULES.parse(answer.body).status.resourceRules;
  }

  /** Takes one verb from the ClusterRole. Resolves when the server minds. */
  async takeAway(verb: string, token: string): Promise<void> {
    await this.#setVerbs(GRANTED_VERBS.filter((granted) => granted !== verb));
    await this.#until(verb, token, false);
  }

  /** Gives the ClusterRole back what deploy/rbac.yaml says. */
  async giveBack(verb: string, token: string): Promise<void> {
    await this.#setVerbs(GRANTED_VERBS);
    await this.#until(verb, token, true);
  }

  /** Takes the role from the ServiceAccount altogether. */
  async unbind(token: string): Promise<void> {
    await this.#servers.admin(pathOf(theOnly('ClusterRoleBinding')), { method: 'DELETE' });
    await this.#until('list', token, false);
  }

  /** Gives it back; no matter if it was there. */
  async bind(token: string): Promise<void> {
    const binding = theOnly('ClusterRoleBinding');
    await this.#servers.askAsAdmin(collectionOf(binding), { method: 'POST', body: binding });
    await this.#until('list', token, true);
  }

  /** Takes the right to write Events from the ServiceAccount. */
  async unbindEvents(token: string): Promise<void> {
    await this.#servers.admin(pathOf(theOnly('RoleBinding')), { method: 'DELETE' });
    await this.#until('create', token, false, 'events');
  }

  /** Gives it back; no matter if it was there. */
  async bindEvents(token: string): Promise<void> {
    const binding = theOnly('RoleBinding');
    await this.#servers.askAsAdmin(collectionOf(binding), { method: 'POST', body: binding });
    await this.#until('create', token, true, 'events');
  }

  /** Grants one verb on one resource that deploy/rbac.yaml leaves out. Resolves with what takes it back. */
  async add(verb: string, resource: string, token: string): Promise<() => Promise<void>> {
    const rules = [{ apiGroups: [''], resources: [resource], verbs: [verb] }];
    const role = { ...theOnly('ClusterRole'), metadata: { name: 'more' }, rules };
    const binding = theOnly('ClusterRoleBinding');
    const more = { ...binding, metadata: role.metadata, roleRef: { apiGroup: RBAC, kind: role.kind, name: 'more' } };
    await this.#post(role);
    await this.#post(more);
    await this.#until(verb, token, true, resource);
    return async () => {
      await this.#servers.admin(pathOf(more), { method: 'DELETE' });
      await this.#servers.admin(pathOf(role), { method: 'DELETE' });
    };
  }

  async #setVerbs(verbs: readonly string[]): Promise<void> {
    const role = ROLE.parse(theOnly('ClusterRole'));
    const body = { rules: role.rules.map((rule) => ({ ...rule, verbs })) };
    await this.#servers.admin(pathOf(role), { method: 'PATCH', contentType: MERGE_PATCH, body });
  }

  async #post(object: KubernetesObject): Promise<void> {
    const path = collectionOf(object);
    await this.#servers.admin(path, { method: 'POST', body: object });
  }

  /** The server learns of a change of roles from itself, and needs a moment. */
  async #until(verb: string, token: string, allowed: boolean, resource = 'nodes'): Promise<void> {
    while ((await this.#may(verb, token, resource)) !== allowed) await sleep(20);
  }

  async #may(verb: string, token: string, path: string): Promise<boolean> {
    const [resource, subresource = ''] = path.split('/');
    const body = {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec: { resourceAttributes: { verb, resource, subresource, namespace: 'default' } },
    };
    const answer = await this.#servers.api.ask(`${REVIEWS}/selfsubjectaccessreviews`, { method: 'POST', token, body });
    return REVIEW.parse(answer.body).status.allowed;
  }
}

function objects(): readonly KubernetesObject[] {
  const file = readFileSync(new URL('../../deploy/rbac.yaml', import.meta.url), 'utf8');
  return parseAllDocuments(file).map((document) => OBJECT.parse(document.toJS()));
}

function theOnly(kind: string): KubernetesObject {
  const [object, ...others] = objects().filter((each) => each.kind === kind);
  if (object === undefined || others.length > 0) throw new Error(`deploy/rbac.yaml should have one ${kind}`);
  return object;
}

function collectionOf({ kind, metadata }: KubernetesObject): string {
  const path = PATHS[kind];
  if (path === undefined) throw new Error(`deploy/rbac.yaml has a ${kind}, which the tests do not know`);
  return path(metadata.namespace ?? '');
}

function pathOf(object: KubernetesObject): string {
  return `${collectionOf(object)}/${object.metadata.name}`;
}
