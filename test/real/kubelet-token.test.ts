/** A kubelet that asks the real API server who calls it, as a kubelet with webhook authentication and authorization does. */
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Fault } from '../lab/faults.ts';
import { Authority } from './certificates.ts';
import { startDaemon, told } from './daemon.ts';
import type { Servers } from './servers.ts';
import { type Machine, type World, worldsOfThisFile } from './world.ts';

const { servers, open } = worldsOfThisFile();

const USER = 'system:serviceaccount:kube-register:kube-register';
const ADDRESSES = ['127.1.0.1', '127.1.0.2'];
const TOKEN_REVIEW = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    user: z.object({ username: z.string().default(''), groups: z.array(z.string()).default([]) }).prefault({}),
  }),
});
const ACCESS_REVIEW = z.object({ status: z.object({ allowed: z.boolean() }) });

interface Scene {
  readonly world: World;
  readonly machine: Machine;
  /** What the kubelet found out about each caller: `USER: 403`. */
  readonly callers: readonly string[];
}

/** A machine whose kubelet speaks TLS with a certificate of this authority and asks the API server about its callers. */
async function askingKubelet(authority: Authority): Promise<Scene> {
  const { certFile, keyFile } = await authority.serverAt('kubelet', ADDRESSES);
  const tls = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  const world = await open({ kubelets: { tls } });
  const machine = await world.addMachine();
  const callers: string[] = [];
  machine.kubelet.misbehave(asksWhoCalls(world.servers, machine.address, callers));
  return { world, machine, callers };
}

function asksWhoCalls(apiServer: Servers, node: string, callers: string[]): Fault {
  return (response, handle) => {
    const token = response.req.headers.authorization?.replace(/^Bearer /, '');
    void statusFor(apiServer, node, token).then(({ user, status }) => {
      callers.push(`${user}: ${status}`);
      response.writeHead(status).end(status === 200 ? handle().body : '');
    });
  };
}

/** 401 for who is not known, 403 for who may not `get nodes/proxy`, which is what the kubelet demands for /healthz. */
async function statusFor(apiServer: Servers, node: string, token: string | undefined) {
  const review = (group: string, kind: string, path: string, spec: object) => {
    const body = { apiVersion: `${group}.k8s.io/v1`, kind, spec };
    return apiServer.admin(`/apis/${group}.k8s.io/v1/${path}`, { method: 'POST', body });
  };
  if (token === undefined) return { user: 'nobody', status: 401 };
  const who = TOKEN_REVIEW.parse(await review('authentication', 'TokenReview', 'tokenreviews', { token }));
  if (!who.status.authenticated) return { user: 'nobody', status: 401 };
  const { username: user, groups } = who.status.user;
  const resourceAttributes = { verb: 'get', version: 'v1', resource: 'nodes', subresource: 'proxy', name: node };
  const spec = { user, groups, resourceAttributes };
  const access = await review('authorization', 'SubjectAccessReview', 'subjectaccessreviews', spec);
  return { user, status: ACCESS_REVIEW.parse(access).status.allowed ? 200 : 403 };
}

/** What goes with a token for kubelets: whose certificates it may be shown to. */
function trusting(world: World): Record<string, string> {
  return { KUBELET_CA_FILE: world.servers.authority.caFile, KUBELET_TOKEN_FILE: world.tokenFile };
}

it('knows the daemon by its token and refuses it, which is a sign of life: no right to kubelets is needed', async () => {
  const { world, machine, callers } = await askingKubelet(servers.authority);
  const daemon = await startDaemon(world, trusting(world));
  expect(told(await daemon.pass())).toEqual([`register ${machine.address}: done`]);
  expect(callers).toEqual([`${USER}: 403`]);
});

it('tells the daemon that it is well when an administrator lets it ask', async () => {
  const { world, machine, callers } = await askingKubelet(servers.authority);
  onTestFinished(await world.rights.add('get', 'nodes/proxy', world.token));
  const daemon = await startDaemon(world, trusting(world));
  expect(told(await daemon.pass())).toEqual([`register ${machine.address}: done`]);
  expect(callers).toEqual([`${USER}: 200`]);
});

it('gets no token when the daemon has not been told whose certificates to trust, and is alive all the same', async () => {
  const { world, machine, callers } = await askingKubelet(servers.authority);
  const daemon = await startDaemon(world);
  expect(told(await daemon.pass())).toEqual([`register ${machine.address}: done`]);
  expect(callers).toEqual(['nobody: 401']);
});

it('gets neither token nor node when somebody else vouches for its certificate', async () => {
  const somebodyElse = new Authority(servers.programs.openssl, await servers.subfolder('somebody-else'));
  await somebodyElse.create();
  const { world, machine, callers } = await askingKubelet(somebodyElse);
  const daemon = await startDaemon(world, trusting(world));
  const report = await daemon.pass();
  expect(told(report)).toEqual([]);
  expect(report.seen?.plan.machines.get(machine.id)?.name).toBe('waiting');
  expect(callers).toEqual([]);
});
