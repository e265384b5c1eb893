/** The check of what the API server lets us do: each right that is needed, asked for by itself. */
import { z } from 'zod';
import type { HttpClient, HttpRequest } from '../../../http/http-client.ts';
import { parseJson } from '../../../http/json.ts';
import { RequestError } from '../../../http/request-error.ts';
import type { Era } from '../../../kubernetes/registry.ts';
import { readStatus } from '../../../kubernetes/status.ts';
import { because, type CheckName, type Finding, named, ok, skipped, warning, wrong } from '../finding.ts';
import { mendOf, mendOfEndpoint, mendOfRights, type Place } from '../mends.ts';

export interface Right {
  readonly verb: 'list' | 'get' | 'create' | 'patch' | 'delete';
  readonly resource: 'nodes' | 'events';
  /** What for, and what happens without it. */
  readonly use: string;
  /** Why it is not needed with these settings or on this server; undefined where it is. */
  readonly unneeded: string | undefined;
}

/** `neverDeregister` is the setting that never lets a node go. */
export interface Needs {
  readonly neverDeregister: string | undefined;
  readonly events: boolean;
}

/** What deploy/rbac.yaml grants. */
export function rightsFor({ neverDeregister, events }: Needs, era: Era): readonly Right[] {
  const unchangeable = era.canUpdate ? undefined : 'on such a server no minion is changed';
  const undeletable = era.hidesMinions ? 'on such a server no minion is deleted' : undefined;
  const noEvents = events ? undefined : 'KUBE_REGISTER_EVENTS=false';
  return [
    { verb: 'list', resource: 'nodes', use: 'without it every pass fails', unneeded: undefined },
    {
      verb: 'get',
      resource: 'nodes',
      use: 'without it passes fail once a node has to be read whole',
      unneeded: undefined,
    },
    { verb: 'create', resource: 'nodes', use: 'without it no machine is registered', unneeded: undefined },
    {
      verb: 'patch',
      resource: 'nodes',
      use: 'without it no node is adopted, and no label kept up to date',
      unneeded: unchangeable,
    },
    {
      verb: 'delete',
      resource: 'nodes',
      use: 'without it no dead node goes',
      unneeded: undeletable ?? neverDeregister,
    },
    {
      verb: 'create',
      resource: 'events',
      use: 'without it kubectl does not tell what was done to a node',
      unneeded: noEvents ?? (era.takesEvents ? undefined : 'on such a server no Events are written'),
    },
  ];
}

/**
 * What became of the questions. `unknown` and `anonymous` are about who we are; `untold` says why the server does not tell what
 * we may do.
 */
export type Reviews =
  | { readonly kind: 'told'; readonly allowed: ReadonlyMap<Right, boolean> }
  | { readonly kind: 'unknown' | 'anonymous' }
  | { readonly kind: 'untold'; readonly why: string };

/** A review is answered and not kept. Servers have it since v1.6: https://kubernetes.io/docs/reference/access-authn-authz/authorization/ */
const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const MAX_BYTES = 1024 * 1024;
const review = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Throws the signal's reason alone. */
export async function askRights(http: HttpClient, rights: readonly Right[], signal: AbortSignal): Promise<Reviews> {
  const allowed = new Map<Right, boolean>();
  try {
    for (const right of rights) {
      const answer = await ask(http, right, signal);
      if (typeof answer !== 'boolean') return answer;
      allowed.set(right, answer);
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { kind: 'untold', why: error.message };
  }
  return { kind: 'told', allowed };
}

async function ask(http: HttpClient, { verb, resource }: Right, signal: AbortSignal): Promise<boolean | Reviews> {
  const attributes = resource === 'events' ? { namespace: 'default', verb, resource } : { verb, resource };
  const value = {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    spec: { resourceAttributes: attributes },
  };
  const body = { contentType: 'application/json', value };
  const request: HttpRequest = { method: 'POST', path: PATH, body, maxBytes: MAX_BYTES, signal };
  const answer = await http.send(request);
  switch (answer.status) {
    case 200:
    case 201:
      return parseJson(http, request, answer, review).status.allowed;
    case 401:
      return { kind: 'unknown' };
    case 403:
      if (readStatus(answer).message.includes('system:anonymous')) return { kind: 'anonymous' };
      return {
        kind: 'untold',
        why: 'this user may not ask what it may do (the ClusterRole system:basic-user grants that)',
      };
    case 404:
      return { kind: 'untold', why: 'the server does not tell what a client may do, as those before v1.6' };
    default:
      throw http.failure(request, `answered ${answer.status}`, answer);
  }
}

/** What became of reading the nodes: whether they were listed, and how the server refused that, if it did. */
export interface Reading {
  readonly listed: boolean;
  readonly refusal: RequestError | undefined;
}

/** What was done, or refused, needs no review. `place` is the API server's. */
export function checkRights(
  rights: readonly Right[],
  reviews: Reviews,
  reading: Reading,
  place: Place,
): readonly Finding[] {
  return rights.map((right) => named(nameOf(right), checkRight(right, reviews, reading, place)));
}

/** By the request: the path of a list ends where that of a node goes on. */
export function rightMissed(refusal: RequestError): 'list' | 'get' {
  return /: GET \S+\/(nodes|minions): /.test(refusal.message) ? 'list' : 'get';
}

function nameOf({ verb, resource }: Right): CheckName {
  return resource === 'events' ? 'right-create-events' : `right-${verb}-nodes`;
}

function checkRight(right: Right, reviews: Reviews, { listed, refusal }: Reading, place: Place) {
  if (right.unneeded !== undefined) return ok(`not needed: ${right.unneeded}`);
  const isMissed = refusal !== undefined && right.resource === 'nodes' && right.verb === rightMissed(refusal);
  switch (reviews.kind) {
    case 'unknown':
    case 'anonymous':
      return because('credentials');
    case 'untold':
      if (isMissed) return refused(right, mendOf(refusal, place), refusal);
      if (right.verb === 'list' && listed) return ok('granted: the nodes were listed');
      return skipped(`not known: ${reviews.why}`);
    case 'told':
      if (reviews.allowed.get(right) !== true)
        return refused(right, mendOfRights(place.server), isMissed ? refusal : undefined);
      return isMissed ? refusedAllTheSame(refusal, place) : ok('granted');
  }
}

/** Nothing but Events suffers from the right to write them. */
function refused({ verb, resource, use }: Right, mend: string, refusal?: RequestError) {
  const where = resource === 'events' ? 'events in the namespace default' : 'nodes';
  const said = refusal === undefined ? '' : `; ${refusal.message}`;
  const sentence = `the user may not ${verb} ${where}: ${use}${said}`;
  return resource === 'events' ? warning(sentence, mend) : wrong(sentence, mend);
}

/** The API server does what its reviews say: what refuses all the same stands before it. */
function refusedAllTheSame({ message }: RequestError, place: Place) {
  const sentence = `the API server says that this is granted, and it is refused all the same: is there a proxy between? ${message}`;
  return wrong(sentence, mendOfEndpoint('kubernetes', place));
}
