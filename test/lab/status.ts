/** The Status objects with which Kubernetes refuses a request, and the error that carries one. */
import type { ApiVersion, Era, StaleUpdate } from './era.ts';

export interface Cause {
  readonly reason: string;
  /** Without the field. */
  readonly message: string;
  readonly field: string;
}

interface Details {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly Cause[];
}

/** What a Status says beside its code. */
interface Said {
  readonly reason?: string | undefined;
  readonly message: string;
  /** Empty details say that nothing is there at all; without details the key is missing. */
  readonly details?: Details | undefined;
  /** What the metadata say. */
  readonly continue?: string;
  /** The words of a router that answers in plain text. */
  readonly plain?: string;
}

export class Refusal extends Error {
  readonly code: number;
  readonly said: Said;

  constructor(code: number, said: Said) {
    super(said.message);
    this.code = code;
    this.said = said;
  }
}

/** The body of a refusal, and whether it is plain text. */
export function refusalBody({ code, said }: Refusal, era: Era, api: ApiVersion): { plain: boolean; body: unknown } {
  const { reason, message, details } = said;
  if (said.plain !== undefined && era.errors.plainRouter) return { plain: true, body: `${code}: ${said.plain}` };
  const metadata = said.continue === undefined ? {} : { continue: said.continue };
  const refused = { metadata, status: 'Failure', message, reason, details: details && detailsOf(details, era), code };
  const bare = code === 406 && era.errors.bareNotAcceptable;
  return { plain: false, body: bare ? refused : statusOf(refused, api) };
}

/** A Status in the form of an API version. */
export function statusOf({ metadata, ...said }: { readonly metadata: object }, api: ApiVersion): object {
  const old = api === 'v1beta1' || api === 'v1beta2';
  return { kind: 'Status', apiVersion: api, ...(old ? { creationTimestamp: null } : { metadata }), ...said };
}

function detailsOf({ name, group, kind, causes }: Details, { errors }: Era): object {
  return {
    ...(name !== undefined && { [errors.nameIn]: name }),
    group,
    kind,
    causes: causes?.map((cause) => ({ ...cause, message: errors.fieldInCauses ? told(cause) : cause.message })),
  };
}

export const badRequest = (message: string) => new Refusal(400, { reason: 'BadRequest', message });

export const serverError = (message: string) => new Refusal(500, { message });

/** A selector that cannot be parsed. */
export function badSelector(message: string, era: Era): Refusal {
  return era.badSelector === 400 ? badRequest(message) : serverError(message);
}

export const unauthorized = () => new Refusal(401, { reason: 'Unauthorized', message: 'Unauthorized' });

export function forbiddenPath(user: string, verb: string, path: string): Refusal {
  const message = `forbidden: User "${user}" cannot ${verb} path "${path}"`;
  return new Refusal(403, { reason: 'Forbidden', message, details: {} });
}

export function forbiddenNodes(user: string, verb: string, name: string | undefined): Refusal {
  const what = name === undefined ? 'nodes is' : `nodes "${name}" is`;
  const message = `${what} forbidden: User "${user}" cannot ${verb} resource "nodes" in API group "" at the cluster scope`;
  return new Refusal(403, { reason: 'Forbidden', message, details: { ...(name && { name }), kind: 'nodes' } });
}

export function forbiddenEvents(user: string, verb: string): Refusal {
  const message = `events is forbidden: User "${user}" cannot ${verb} resource "events" in API group "" in the namespace "default"`;
  return new Refusal(403, { reason: 'Forbidden', message, details: { kind: 'events' } });
}

/** A review of one's own rights by somebody who is not known. */
export function forbiddenReview(user: string): Refusal {
  const [kind, group] = ['selfsubjectaccessreviews', 'authorization.k8s.io'];
  const message = `${kind}.${group} is forbidden: User "${user}" cannot create resource "${kind}" in API group "${group}" at the cluster scope`;
  return new Refusal(403, { reason: 'Forbidden', message, details: { group, kind } });
}

export function noSuchPath(): Refusal {
  const message = 'the server could not find the requested resource';
  return new Refusal(404, { reason: 'NotFound', message, details: {}, plain: 'Page Not Found' });
}

export function nodeNotFound(name: string, era: Era): Refusal {
  return ofNode(404, 'NotFound', `${era.errors.resource} "${name}" not found`, name, era);
}

/** A delete of a node that is not there. */
export function nothingToDelete(name: string, era: Era): Refusal {
  return era.deleteMissing === 404 ? nodeNotFound(name, era) : serverError('The requested resource does not exist.');
}

export function methodNotAllowed(): Refusal {
  const message = 'the server does not allow this method on the requested resource';
  return new Refusal(405, { reason: 'MethodNotAllowed', message, details: {}, plain: 'Method Not Allowed' });
}

export const notAcceptable = (era: Era) => new Refusal(406, { ...era.errors.notAcceptable, plain: 'Not Acceptable' });

export function alreadyExists(name: string, era: Era): Refusal {
  return ofNode(409, 'AlreadyExists', `${era.errors.resource} "${name}" already exists`, name, era);
}

export function eventExists(name: string): Refusal {
  const message = `events "${name}" already exists`;
  return new Refusal(409, { reason: 'AlreadyExists', message, details: { name, kind: 'events' } });
}

/** An update of a node that is not the one that was read. */
export function staleUpdate(update: StaleUpdate, era: Era): Refusal {
  return ofNode(409, 'Conflict', era.errors.stale(update), update.name, era);
}

/** An update of a node that was made anew. */
export function otherUid(name: string, wanted: string, actual: string, era: Era): Refusal {
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${actual}`;
  return ofNode(409, 'Conflict', `Operation cannot be fulfilled on nodes "${name}": ${why}`, name, era);
}

/** A delete whose precondition does not hold. */
export function preconditionFailed(name: string, what: string, wanted: string, actual: string, maybe: string): Refusal {
  const why = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual})`;
  const message = `Operation cannot be fulfilled on Node "${name}": ${why}. The object might have been ${maybe}`;
  return new Refusal(409, { reason: 'Conflict', message, details: { name, kind: 'Node' } });
}

/** A `continue` token of a list that is forgotten; the token that comes along continues with whatever is there now. */
export function expired(token: string): Refusal {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
    'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
    'deleted between the time the first chunk was returned and now may show up in the list.';
  return new Refusal(410, { reason: 'Expired', message, continue: token });
}

export function unsupportedBody(era: Era): Refusal {
  const message = `the body of the request was in an unknown format - accepted media types include: ${era.bodies.unsupported}`;
  return new Refusal(415, { reason: 'UnsupportedMediaType', message });
}

export const unsupportedPatch = (era: Era) => new Refusal(415, era.errors.unsupportedPatch);

export function invalid(name: string, causes: readonly Cause[]): Refusal {
  const each = [...new Set(causes.map(told))];
  const message = `Node "${name}" is invalid: ${each.length === 1 ? each[0] : `[${each.join(', ')}]`}`;
  return new Refusal(422, { reason: 'Invalid', message, details: { ...(name && { name }), kind: 'Node', causes } });
}

const told = ({ field, message }: Cause) => `${field}: ${message}`;

function ofNode(code: number, reason: string, message: string, name: string, era: Era): Refusal {
  return new Refusal(code, { reason, message, details: { name, kind: era.errors.resource } });
}
