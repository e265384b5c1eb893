/** Who may do what at a Kubernetes of the lab, and the reviews in which it says so, as v1.20 does. */
import { z } from 'zod';
import { type Answer, goJson } from './answer.ts';
import type { Received } from './request-log.ts';
import * as refuse from './status.ts';

/** `nodes`: everything but write Events. */
export type Rights = 'all' | 'nodes' | 'none';

type Resource = 'nodes' | 'events';

interface User {
  readonly name: string;
  readonly rights: Rights;
}

const ANONYMOUS: User = { name: 'system:anonymous', rights: 'none' };

const REVIEW = z.object({
  spec: z.object({
    resourceAttributes: z.object({
      namespace: z.string().optional(),
      verb: z.string(),
      resource: z.enum(['nodes', 'events']),
    }),
  }),
});

/** Where a client asks what it may do itself (v1.6 and later). */
export const REVIEWS_PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

export class Authorization {
  readonly #tokens: Readonly<Record<string, Rights>> | undefined;
  readonly #forbidden = new Set<string>();

  /** What each bearer token may do; without tokens everybody may do everything. */
  constructor(tokens: Readonly<Record<string, Rights>> | undefined) {
    this.#tokens = tokens;
  }

  /** Takes a verb from everybody. Returns a function that gives it back. */
  forbid(verb: string, resource: Resource): () => void {
    const right = `${verb} ${resource}`;
    this.#forbidden.add(right);
    return () => void this.#forbidden.delete(right);
  }

  /** Throws a Refusal when nobody is known by the token. */
  userOf({ headers: { authorization } }: Received): User {
    if (this.#tokens === undefined) return { name: 'user', rights: 'all' };
    if (authorization === undefined) return ANONYMOUS;
    const rights = this.#tokens[authorization.replace(/^Bearer /, '')];
    if (rights === undefined) throw refuse.unauthorized();
    return { name: 'user', rights };
  }

  may({ rights }: User, verb: string, resource: Resource): boolean {
    const granted = rights === 'all' || (rights === 'nodes' && resource === 'nodes');
    return granted && !this.#forbidden.has(`${verb} ${resource}`);
  }

  /** Everybody who is known may ask. Throws a Refusal. */
  review(user: User, { body }: Received): Answer {
    if (user === ANONYMOUS) throw refuse.forbiddenReview(user.name);
    const { spec } = REVIEW.parse(JSON.parse(body));
    const { verb, resource } = spec.resourceAttributes;
    const told = {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: { creationTimestamp: null },
      spec,
      status: { allowed: this.may(user, verb, resource) },
    };
    return { status: 201, headers: { 'Content-Type': 'application/json' }, body: `${goJson(told)}\n` };
  }
}
