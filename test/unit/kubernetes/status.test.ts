/** What is advised of a request that the API server forbids: rights where rights refuse, its own words elsewhere. */
import { describe, expect, it } from 'vitest';
import { settingsSource } from '../../../src/http/config-source.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/http/http-client.ts';
import { RequestError } from '../../../src/http/request-error.ts';
import { refusal } from '../../../src/kubernetes/status.ts';

const REQUEST: HttpRequest = {
  method: 'POST',
  path: '/api/v1/nodes',
  maxBytes: 1_000,
  signal: new AbortController().signal,
};

const http: HttpClient = {
  target: 'kubernetes',
  server: 'http://10.0.0.1:8080',
  source: settingsSource('kubernetes'),
  send: async () => {
    throw new Error('nothing is sent');
  },
  failure: (request, problem) =>
    new RequestError({ target: 'kubernetes', server: '', request: `${request.method} ${request.path}`, problem }),
  close: () => {},
};

function refused(body: string): string {
  const answer: HttpAnswer = { status: 403, contentType: 'application/json', body, bytes: body.length };
  return refusal(http, REQUEST, answer, 'create').message.replace(/^.*?: answered 403:? /, '');
}

const status = (message: string) => JSON.stringify({ kind: 'Status', reason: 'Forbidden', message });

describe('a request that is forbidden', () => {
  it.each([
    [
      'v1.20',
      status('nodes is forbidden: User "u" cannot create resource "nodes" in API group "" at the cluster scope'),
    ],
    ['v1.9', status('nodes is forbidden: User "u" cannot create nodes at the cluster scope')],
    ['v1.6', status('User "u" cannot create nodes at the cluster scope.')],
    ['v1.5', 'User "u" cannot create nodes at the cluster scope.: "no policy matched"'],
    [
      'one node',
      status('nodes "n" is forbidden: User "u" cannot patch resource "nodes" in API group "" at the cluster scope'),
    ],
    ['a path', status('forbidden: User "u" cannot get path "/api"')],
  ])('by the rights of a user is a matter of rights: %s', (_, body) => {
    expect(refused(body)).toContain(
      'does this user have the verb "create" on nodes? A ClusterRole with this rule grants',
    );
  });

  it('because nobody said who is asking is a matter of credentials', () => {
    const said = refused(
      status('nodes is forbidden: User "system:anonymous" cannot create resource "nodes" in API group ""'),
    );
    expect(said).toContain('no credentials were sent; set KUBE_REGISTER_API_TOKEN_FILE');
  });

  it('by a server without roles is a matter of its policy', () => {
    expect(refused('Forbidden: "/api/v1/nodes"\n')).toContain('--authorization-policy-file');
  });

  it.each([
    'admission webhook "nodes.example.com" denied the request: no node without an owner',
    'admission webhook "w" denied the request: User "u" cannot create nodes here',
    'admission webhook "w" denied the request: ask system:anonymous',
    'nodes "b" is forbidden: node "a" is not allowed to modify node "b"',
    'nodes "b" is forbidden: node a cannot modify node b',
    'nodes "b" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/master',
    'nodes "b" is forbidden: exceeded quota: nodes',
  ])('by admission is told in the words of the server alone: %s', (message) => {
    expect(refused(status(message))).toBe(`Forbidden: ${message}`);
  });

  it('by a proxy is told in its words alone', () => {
    expect(refused('not through me')).toBe('not through me');
  });
});

describe('what the server said', () => {
  const said = (status: number, body: string) =>
    refusal(http, REQUEST, { status, contentType: '', body, bytes: body.length }, 'create').message.replace(
      /^.*nodes: /,
      '',
    );
  const status = (reason: string, message: string) => JSON.stringify({ kind: 'Status', reason, message });

  it.each([
    [500, status('', 'etcdserver: request timed out'), 'answered 500: etcdserver: request timed out'],
    [500, status('InternalError', 'Internal error.'), 'answered 500 InternalError'],
    [429, status('TooManyRequests', 'slow down'), 'answered 429 TooManyRequests: slow down'],
    [503, '', 'answered 503 Service Unavailable'],
    [299, '', 'answered 299'],
  ])('is its status, its reason and its words, none of them twice: %s %s', (code, body, words) => {
    expect(said(code, body)).toBe(words);
  });

  it.each([status('Unauthorized', 'Unauthorized'), 'Unauthorized\n', ''])(
    'of credentials that it rejects has the word once: %j',
    (body) => {
      expect(said(401, body).match(/Unauthorized/g)).toHaveLength(1);
      expect(said(401, body)).toMatch(/^answered 401:? Unauthorized: the server rejects these credentials; check /);
    },
  );
});
