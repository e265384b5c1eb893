/** Finding out which API server answers, over real HTTP. */
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { connectNodes } from '../../src/kubernetes/connect.ts';
import type { ApiVersion } from '../../src/kubernetes/era.ts';
import { clientOf } from './client.ts';
import { serveHttp } from './loopback.ts';

const never = new AbortController().signal;
const MINUTE = 60_000;

/** What a server says by path; a number is a status with a body that says nothing, a function is given the form that is asked for. */
type Answers = Record<string, unknown>;

const VERSION = (gitVersion: string) => ({ major: '0', minor: '0', gitVersion });
const NODES = (apiVersion: string) => ({ kind: 'NodeList', apiVersion, metadata: {}, items: [] });
const MINIONS = { kind: 'MinionList', apiVersion: 'v1beta1', creationTimestamp: null };

const TODAY: Answers = {
  '/version': VERSION('v1.20.2'),
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1/nodes': NODES('v1'),
};

/** A server whose answers a test may change, and a registry connected to it. */
async function connected(answers: Answers, apiVersion: ApiVersion | 'auto' = 'auto') {
  const asked: string[] = [];
  /** The forms in which nodes were asked for. */
  const accepted: string[] = [];
  const answer: RequestListener = (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push(path);
    const { accept = '' } = request.headers;
    if (path.endsWith('/nodes')) accepted.push(accept);
    const said = answers[path] ?? 404;
    const found = typeof said === 'function' ? said(accept) : said;
    response.statusCode = typeof found === 'number' ? found : 200;
    response.end(typeof found === 'number' ? '404: Page Not Found' : JSON.stringify(found));
  };
  const server = await serveHttp(answer);
  const http = clientOf('kubernetes', `http://127.0.0.1:${server.port}`);
  let now = 0;
  const nodes = connectNodes({ http, apiVersion, clock: { wall: () => now, monotonic: () => now } });
  return {
    nodes,
    asked,
    accepted,
    server: async () => (await nodes.list(never)).era.server,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

describe('the API version', () => {
  it.each([
    [['v1'], 'v1'],
    [['v1beta3', 'v1'], 'v1'],
    [['v1beta1', 'v1beta2', 'v1beta3'], 'v1beta3'],
    [['v1beta1', 'v1beta2'], 'v1beta2'],
    [['v1beta1', 'extensions/v9'], 'v1beta1'],
  ])('of %j is %s, the newest', async (versions, newest) => {
    const path = ['v1', 'v1beta3'].includes(newest) ? `/api/${newest}/nodes` : `/api/${newest}/minions`;
    const list = path.endsWith('nodes') ? NODES(newest) : MINIONS;
    const { server } = await connected({ '/version': VERSION('v0.15.0'), '/api': { versions }, [path]: list });
    expect(await server()).toBe(`v0.15.0, using API ${newest}`);
  });

  it('of a server that has no list of them is v1beta1, as of v0.2 and v0.4', async () => {
    const { server } = await connected({ '/version': VERSION('v0.4.4'), '/api/v1beta1/minions': MINIONS });
    expect(await server()).toBe('v0.4.4, using API v1beta1');
  });

  it('is v1 where the list may not be seen', async () => {
    const { server } = await connected({ ...TODAY, '/api': 403, '/version': 401 });
    expect(await server()).toBe('of an unknown version, using API v1');
  });

  it('that is set is used, and /api not asked', async () => {
    const old = { '/version': VERSION('v0.17.1'), '/api/v1beta2/minions': MINIONS };
    const { server, asked } = await connected(old, 'v1beta2');
    expect(await server()).toBe('v0.17.1, using API v1beta2');
    expect(asked).not.toContain('/api');
  });

  it('of a server that has none of ours is an error that names both', async () => {
    const { nodes } = await connected({ ...TODAY, '/api': { versions: ['v2'] } });
    await expect(nodes.list(never)).rejects.toThrow(
      /GET \/api: the server has none of the API versions v1, v1beta3, v1beta2, v1beta1; it has v2$/,
    );
  });

  it('of something else that answers is an error', async () => {
    const { nodes } = await connected({ ...TODAY, '/version': 'welcome' });
    await expect(nodes.list(never)).rejects.toThrow(/GET \/version: unexpected JSON at the top/);
    const { nodes: nobody } = await connected({});
    await expect(nobody.list(never)).rejects.toThrow(
      /the server does not serve \/api\/v1beta1\/minions: check KUBE_REGISTER_API/,
    );
  });
});

describe('which server it is', () => {
  it('is asked once in ten minutes', async () => {
    const { server, asked, wait } = await connected(TODAY);
    for (let pass = 0; pass < 3; pass++, wait(4 * MINUTE)) await server();
    expect(asked.filter((path) => path === '/version')).toHaveLength(1);
    await server();
    expect(asked.filter((path) => path === '/version')).toHaveLength(2);
  });

  it('is asked again when an upgrade takes the API version away, within the same listing', async () => {
    const answers: Answers = {
      '/version': VERSION('v0.17.1'),
      '/api': { versions: ['v1beta1', 'v1beta2', 'v1beta3'] },
      '/api/v1beta3/nodes': NODES('v1beta3'),
    };
    const { server } = await connected(answers);
    expect(await server()).toBe('v0.17.1, using API v1beta3');
    delete answers['/api/v1beta3/nodes'];
    Object.assign(answers, TODAY);
    expect(await server()).toBe('v1.20.2, using API v1');
  });

  it('is asked again after another request met a 404 that is not about a node', async () => {
    const { nodes, server, asked } = await connected(TODAY);
    await server();
    await expect(nodes.read('10.0.0.1', never)).rejects.toThrow(/404/);
    await server();
    expect(asked.filter((path) => path === '/version')).toHaveLength(2);
  });

  it('is not asked for ever when the same server goes on answering 404', async () => {
    const { nodes, asked } = await connected({ ...TODAY, '/api/v1/nodes': 404 });
    await expect(nodes.list(never)).rejects.toThrow(/404/);
    expect(asked.filter((path) => path === '/api/v1/nodes')).toHaveLength(1);
  });

  it('is asked anew whenever that is wanted, and what is asked then decides what is sent', async () => {
    const answers: Answers = {
      '/version': VERSION('v0.17.1'),
      '/api': { versions: ['v1beta1', 'v1beta2'] },
      '/api/v1beta2/minions': MINIONS,
      '/api/v1beta2/minions/10.0.0.1': { kind: 'Status', status: 'Success' },
    };
    const { nodes, server, asked } = await connected(answers);
    const remove = () => nodes.remove('10.0.0.1', 'uid', '1', never);
    expect(await server()).toBe('v0.17.1, using API v1beta2');
    const before = await nodes.identify(never);
    expect(before.server).toBe('v0.17.1, using API v1beta2');
    asked.length = 0;
    expect(await remove()).toBe('removed');
    expect(asked).toEqual(['/api/v1beta2/minions/10.0.0.1']);

    // Rolled back: there minions hide while the server does not reach their kubelets, and nothing is ever deleted.
    answers['/version'] = VERSION('v0.8.4');
    const now = await nodes.identify(never);
    expect(now.abilities).not.toBe(before.abilities);
    expect(asked).toEqual(['/api/v1beta2/minions/10.0.0.1', '/version', '/api']);
    await expect(remove()).rejects.toThrow(/minions are not deleted on servers before v0.9/);
    expect(asked).toHaveLength(3);
    answers['/version'] = 500;
    await expect(nodes.identify(never)).rejects.toThrow(/GET \/version: answered 500/);
  });

  it('can be asked before anything else', async () => {
    const { nodes } = await connected(TODAY);
    expect((await nodes.identify(never)).server).toBe('v1.20.2, using API v1');
  });

  it('changes at each question behind a balancer, and what was learned of each server stays', async () => {
    const answers: Answers = { ...TODAY };
    const { nodes, accepted, wait } = await connected(answers);
    const versions = ['v1.5.8', 'v1.5.9', 'v1.5.8', 'v1.5.9', 'v1.6.0', 'v1.5.8'];
    const abilities = new Set<string>();
    for (const version of versions) {
      answers['/version'] = VERSION(version);
      answers['/api/v1/nodes'] = (accept: string) => (accept.includes(';as=') ? 406 : NODES('v1'));
      wait(11 * MINUTE);
      const { era } = await nodes.list(never);
      expect(era.server).toBe(`${version}, using API v1`);
      abilities.add(era.abilities);
    }
    expect(abilities.size).toBe(1);
    const refused = accepted.filter((accept) => accept.includes(';as='));
    // Once for each that has another version: nobody knows whether it has learned to list metadata.
    expect(refused).toHaveLength(3);
    expect(accepted).toHaveLength(versions.length + 3);
  });

  it('is asked again after a 405, as v0.5 to v0.12 answer a patch', async () => {
    const { nodes, server, asked } = await connected({ ...TODAY, '/api/v1/nodes/10.0.0.1': 405 });
    await server();
    const change = { labels: new Map([['a', 'b']]), annotations: new Map() };
    await expect(nodes.update('10.0.0.1', 'uid', '1', change, never)).rejects.toThrow(/405/);
    await server();
    expect(asked.filter((path) => path === '/version')).toHaveLength(2);
  });

  it('is asked again in the next listing when it did not answer', async () => {
    const answers: Answers = { ...TODAY, '/version': 500 };
    const { server } = await connected(answers);
    await expect(server()).rejects.toThrow(/GET \/version: answered 500/);
    answers['/version'] = VERSION('v1.20.2');
    expect(await server()).toBe('v1.20.2, using API v1');
  });
});
