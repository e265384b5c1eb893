/** The check of the rights at the API server: one SelfSubjectAccessReview for each right that is needed. */
import * as z from 'zod';
import type { HttpClient, HttpRequest } from '../../../http/http-client.ts';
import { parseJson } from '../../../http/json.ts';
import { RequestError } from '../../../http/request-error.ts';
import type { Era } from '../../../kubernetes/registry.ts';
import { readStatus } from '../../../kubernetes/status.ts';
import { type CheckName, type Finding, named, ok, skipped, skippedBy, warning, wrong } from '../finding.ts';
import { mendOf, mendOfEndpoint, mendOfRights, type Place } from '../mends.ts';

export interface Right {
  readonly verb: 'list' | 'get' | 'create' | 'patch' | 'delete';
  readonly resource: 'nodes' | 'events';
  /** What happens without it. */
  readonly use: string;
  /** Why it is not needed with these settings or on this server; undefined where it is. */
  readonly unneeded: string | undefined;
}

/** What the settings need. `neverDeregister` is why no node is ever deregistered, or undefined. */
export interface Needs {
  readonly neverDeregister: string | undefined;
  readonly events: boolean;
}

/** The rights that deploy/rbac.yaml grants. */
export function rightsFor({ neverDeregister, events }: Needs, era: Era): readonly Right[] {
  const unchangeable = era.canUpdate ? undefined : 'a server before v0.13 cannot change minions';
  const undeletable = era.hidesMinions ? 'a server before v0.9 cannot delete minions that are not alive' : undefined;
  const noEvents = events ? undefined : 'KUBE_REGISTER_EVENTS=false';
  return [
    { verb: 'list', resource: 'nodes', use: 'without it every pass fails', unneeded: undefined },
    {
      verb: 'get',
      resource: 'nodes',
      use: 'without it passes fail as soon as a single node must be read',
      unneeded: undefined,
    },
    { verb: 'create', resource: 'nodes', use: 'without it no machine is registered', unneeded: undefined },
    {
      verb: 'patch',
      resource: 'nodes',
      use: 'without it no node is adopted, and labels are not updated',
      unneeded: unchangeable,
    },
    {
      verb: 'delete',
      resource: 'nodes',
      use: 'without it no node is deregistered',
      unneeded: undeletable ?? neverDeregister,
    },
    {
      verb: 'create',
      resource: 'events',
      use: 'without it kubectl does not show what was done to a node',
      unneeded: noEvents ?? (era.takesEvents ? undefined : 'Events need API v1'),
    },
  ];
}

/**
 * The outcome of the reviews. `unknown`: the server rejects the credentials. `anonymous`: it got none. `unavailable`: it does not review
 * rights, and `why` says why.
 */
export type Reviews =
  | { readonly kind: 'reviewed'; readonly allowed: ReadonlyMap<Right, boolean> }
  | { readonly kind: 'unknown' | 'anonymous' }
  | { readonly kind: 'unavailable'; readonly why: string };

/** A review is answered and not kept. Servers have it since v1.6: https://kubernetes.io/docs/reference/access-authn-authz/authorization/ */
const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const MAX_BYTES = 1024 * 1024;
/** Servers of v0.13 to v0.15 answer any path with something else. */
const review = z.object({ status: z.object({ allowed: z.boolean() }).optional().catch(undefined) });

const NO_REVIEWS: Reviews = {
  kind: 'unavailable',
  why: 'the server has no SelfSubjectAccessReview (it came with v1.6)',
};

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
    return { kind: 'unavailable', why: error.message };
  }
  return { kind: 'reviewed', allowed };
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
      return parseJson(http, request, answer, review).status?.allowed ?? NO_REVIEWS;
    case 401:
      return { kind: 'unknown' };
    case 403:
      if (readStatus(answer).message.includes('system:anonymous')) return { kind: 'anonymous' };
      return {
        kind: 'unavailable',
        why: 'this user may not create SelfSubjectAccessReviews (the ClusterRole system:basic-user grants it)',
      };
    case 404:
      return NO_REVIEWS;
    default:
      throw http.failure(request, `answered ${answer.status}`, answer);
  }
}

/** The outcome of reading the nodes: whether the list succeeded, and how the server refused, if it did. */
export interface Reading {
  readonly listed: boolean;
  readonly refusal: RequestError | undefined;
}

/** A request that succeeded or was refused needs no review. `place` is that of the API server. */
export function checkRights(
  rights: readonly Right[],
  reviews: Reviews,
  reading: Reading,
  place: Place,
): readonly Finding[] {
  return rights.map((right) => named(nameOf(right), checkRight(right, reviews, reading, place)));
}

/** The right that a refused request needed, by its path: the path of a list has no node name. */
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
      return skippedBy('credentials');
    case 'unavailable':
      if (isMissed) return refused(right, mendOf(refusal, place), refusal);
      if (right.verb === 'list' && listed) return ok('granted: the nodes were listed');
      return skipped(`unknown: ${reviews.why}`);
    case 'reviewed':
      if (reviews.allowed.get(right) !== true)
        return refused(right, mendOfRights(place.server), isMissed ? refusal : undefined);
      return isMissed ? refusedDespiteGrant(refusal, place) : ok('granted');
  }
}

/** A missing right is wrong; a missing right to write Events is a warning. */
function refused({ verb, resource, use }: Right, mend: string, refusal?: RequestError) {
  const where = resource === 'events' ? 'events in the namespace default' : 'nodes';
  const said = refusal === undefined ? '' : `; ${refusal.message}`;
  const sentence = `the user may not ${verb} ${where}: ${use}${said}`;
  return resource === 'events' ? warning(sentence, mend) : wrong(sentence, mend);
}

/** An API server follows its own reviews, so a proxy in front of it refused. */
function refusedDespiteGrant({ message }: RequestError, place: Place) {
  const sentence = `the API server grants this, but the request was refused: is there a proxy in between? ${message}`;
  return wrong(sentence, mendOfEndpoint('kubernetes', place));
}
