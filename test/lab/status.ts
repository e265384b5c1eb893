/** The Status objects with which Kubernetes v1.20 refuses a request, and the error that carries one. */

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

interface Details {
  readonly name?: string;
  readonly kind?: string;
  readonly causes?: readonly Cause[];
}

export class Refusal extends Error {
  readonly code: number;
  readonly status: object;

  /** A refusal without a reason or without details carries no such key; empty details say that nothing is there at all. */
  constructor(code: number, reason: string | undefined, message: string, details?: Details, metadata: object = {}) {
    super(message);
    this.code = code;
    this.status = { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', message, reason, details, code };
  }
}

export const badRequest = (message: string) => new Refusal(400, 'BadRequest', message);

export const unauthorized = () => new Refusal(401, 'Unauthorized', 'Unauthorized');

export function forbiddenPath(user: string, verb: string, path: string): Refusal {
  return new Refusal(403, 'Forbidden', `forbidden: User "${user}" cannot ${verb} path "${path}"`, {});
}

export function forbiddenNodes(user: string, verb: string, name: string | undefined): Refusal {
  const what = name === undefined ? 'nodes is' : `nodes "${name}" is`;
  const message = `${what} forbidden: User "${user}" cannot ${verb} resource "nodes" in API group "" at the cluster scope`;
  return new Refusal(403, 'Forbidden', message, { ...(name !== undefined && { name }), kind: 'nodes' });
}

export function noSuchPath(): Refusal {
  return new Refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function nodeNotFound(name: string): Refusal {
  return new Refusal(404, 'NotFound', `nodes "${name}" not found`, { name, kind: 'nodes' });
}

export function methodNotAllowed(): Refusal {
  const message = 'the server does not allow this method on the requested resource';
  return new Refusal(405, 'MethodNotAllowed', message, {});
}

export const notAcceptable = () => new Refusal(406, 'NotAcceptable', '406: Not Acceptable', {});

export function alreadyExists(name: string): Refusal {
  return new Refusal(409, 'AlreadyExists', `nodes "${name}" already exists`, { name, kind: 'nodes' });
}

/** An update of a node that is not the one that was read. */
export function conflict(name: string, why: string): Refusal {
  const message = `Operation cannot be fulfilled on nodes "${name}": ${why}`;
  return new Refusal(409, 'Conflict', message, { name, kind: 'nodes' });
}

/** A delete whose precondition does not hold. */
export function preconditionFailed(name: string, what: string, wanted: string, actual: string, maybe: string): Refusal {
  const why = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual})`;
  const message = `Operation cannot be fulfilled on Node "${name}": ${why}. The object might have been ${maybe}`;
  return new Refusal(409, 'Conflict', message, { name, kind: 'Node' });
}

/** A `continue` token of a list that is forgotten; the token that comes along continues with whatever is there now. */
export function expired(token: string): Refusal {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
    'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
    'deleted between the time the first chunk was returned and now may show up in the list.';
  return new Refusal(410, 'Expired', message, undefined, { continue: token });
}

export function unsupportedBody(): Refusal {
  const message =
    'the body of the request was in an unknown format - accepted media types include: ' +
    'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  return new Refusal(415, 'UnsupportedMediaType', message);
}

export function unsupportedPatch(): Refusal {
  return new Refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

export function invalid(name: string, causes: readonly Cause[]): Refusal {
  const each = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))];
  const message = `Node "${name}" is invalid: ${each.length === 1 ? each[0] : `[${each.join(', ')}]`}`;
  return new Refusal(422, 'Invalid', message, { ...(name !== '' && { name }), kind: 'Node', causes });
}
