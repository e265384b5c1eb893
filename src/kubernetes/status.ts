/** The Status object of an API server that refuses a request, and the error for it. */
import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { type ConfigSource, settingsSource } from '../http/config-source.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseNested } from '../http/nesting.ts';
import type { RequestError } from '../http/request-error.ts';
import { onOneLine } from '../text/quote.ts';

/** What is to be granted to the user that kube-register is. */
type Verb = 'list' | 'get' | 'create' | 'patch' | 'delete';

const text = z.string().catch('');

const statusSchema = z.object({
  reason: text,
  message: text,
  details: z
    .object({
      name: text,
      id: text,
      causes: z.array(z.object({ field: text }).catch({ field: '' })).catch([]),
    })
    .catch({ name: '', id: '', causes: [] })
    // v1beta1 to v1beta3 call the name an id.
    .transform(({ name, id, causes }) => ({ name: name || id, causes })),
});

/** `reason` is a word (`NotFound`, `AlreadyExists`, `Invalid`), `message` a sentence. What is absent is empty. */
type Status = z.infer<typeof statusSchema>;

/** The Status in a response. A response without one, as from a proxy, gives an empty Status. */
export function readStatus(answer: HttpAnswer): Status {
  let body: unknown;
  try {
    body = parseNested(answer.body);
  } catch {
    body = undefined;
  }
  const parsed = statusSchema.safeParse(body);
  return parsed.success ? parsed.data : { reason: '', message: '', details: { name: '', causes: [] } };
}

/** What servers up to v0.13.2 say to a delete of a minion that is not there. */
const NO_SUCH_RESOURCE = 'The requested resource does not exist.';

/**
 * Whether an answer says that there is no node of that name: 404, or 500 up to v0.13.2. When the server has no such resource at
 * all the status and the reason of the 404 are the same, and only the details are empty (v0.17.1 to v1.20.2).
 */
export function saysMissing(answer: HttpAnswer, name: string): boolean {
  const { reason, message, details } = readStatus(answer);
  if (answer.status === 500) return message === NO_SUCH_RESOURCE;
  if (answer.status !== 404) return false;
  return reason === 'NotFound' && details.name === name;
}

/** The error for a request that the server did not do: what it said, and what to do where that is known. */
export function refusal(
  http: HttpClient,
  request: HttpRequest,
  answer: HttpAnswer,
  verb: Verb,
  resource: Resource = 'nodes',
): RequestError {
  const { reason, message } = readStatus(answer);
  const said = describeAnswer(answer.status, reason, printable(message || answer.body));
  const advice = adviceFor(
    http.source ?? settingsSource('kubernetes'),
    request,
    answer,
    message,
    `"${verb}" on ${HOW_TO_GRANT[resource]}`,
  );
  return http.failure(request, advice === undefined ? said : `${said}: ${advice}`, answer, reason);
}

/** `answered 401 Unauthorized`, `answered 500: etcdserver: request timed out`: the reason or the words of HTTP, then what the server said beyond that. */
function describeAnswer(status: number, reason: string, words: string): string {
  const name = reason || (words === '' ? (STATUS_CODES[status] ?? '') : '');
  const answered = name === '' ? `answered ${status}` : `answered ${status} ${name}`;
  return words === '' || isSame(words, name) ? answered : `${answered}: ${words}`;
}

/** Whether two texts have the same letters: `InternalError` and `Internal error.` */
function isSame(text: string, other: string): boolean {
  const letters = (each: string) => each.toLowerCase().replace(/[^\p{L}\d]/gu, '');
  return letters(text) === letters(other);
}

/** What an administrator would have to grant, by what it is on. */
const HOW_TO_GRANT = {
  nodes:
    'nodes? A ClusterRole with this rule grants all that is needed: ' +
    '{apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "create", "patch", "delete"]}',
  events:
    'events in the namespace default? A Role there with this rule grants it: ' +
    '{apiGroups: [""], resources: ["events"], verbs: ["create"]}',
} as const;
type Resource = keyof typeof HOW_TO_GRANT;

/** `right` is the verb and what it is on. */
function adviceFor(
  source: ConfigSource,
  request: HttpRequest,
  answer: HttpAnswer,
  message: string,
  right: string,
): string | undefined {
  const { status, redirectedTo } = answer;
  if (redirectedTo !== undefined) {
    return `redirected to ${printable(redirectedTo)}; redirects are not followed; check ${source.endpoint}`;
  }
  switch (status) {
    case 401:
      return `the server rejects these credentials; check ${source.credentials}`;
    case 403:
      return adviceForForbidden(message || answer.body, source, right);
    case 404:
      return `the server does not serve ${request.path}: check ${source.endpoint}, and KUBE_REGISTER_API_VERSION where it is set`;
    default:
      return undefined;
  }
}

/** How the advice begins on a request that the rights of the user forbid. */
export const ASKS_FOR_RIGHT = 'does this user have the verb';

/**
 * How authorization refuses: `nodes is forbidden: User "x" cannot list resource "nodes" ...` (v1.20.2), without the part before
 * the user up to v1.5, and `forbidden: User "x" cannot get path "/api"`. Admission refuses in other words, with the same status and
 * reason: `admission webhook "x" denied the request`, `nodes "x" is forbidden: node "y" is not allowed to modify node "x"`.
 */
const REFUSED_BY_RIGHTS =
  /^(?:[\w.]+ (?:"[^"]*" )?is forbidden: |forbidden: )?User "(?<user>[^"]*)" cannot (?:get|list|create|patch|delete|post) /;
/** Servers before v1.5 say no more, and know no roles: https://v1-4.docs.kubernetes.io/docs/admin/authorization/ */
const REFUSED_BY_POLICY = /^Forbidden: "\//;

/** Undefined where something else than rights refuses, and has said why. */
function adviceForForbidden(said: string, { credentials }: ConfigSource, right: string): string | undefined {
  const user = REFUSED_BY_RIGHTS.exec(said)?.groups?.['user'];
  if (user === 'system:anonymous') return `no credentials were sent; set ${credentials}`;
  if (user !== undefined) return `${ASKS_FOR_RIGHT} ${right}`;
  return REFUSED_BY_POLICY.test(said)
    ? 'the authorization policy of the API server does not allow this (its --authorization-policy-file)'
    : undefined;
}

const LONGEST = 300;

/** What a server said, on one line. */
function printable(said: string): string {
  return onOneLine(said, LONGEST);
}
