/** A daemon's page over a cluster of any size that is not there: its status is written by hand, and changes with each pass. */
import { createHash } from 'node:crypto';
import type { Status } from '../../src/status/document.ts';
import { systemClock } from '../../src/time/clock.ts';
import { pageRoutes } from '../../src/web/page/routes.ts';
import { startWebServer } from '../../src/web/server.ts';
import { aMachine, aNode, aStatus, EVIDENCE, NOW } from '../unit/status/status-sketch.ts';
import { inTwoSteps } from '../unit/time/in-two-steps.ts';

const CHANGED = 100;
/** The time stands still, as in the documents. */
const STANDING = { wall: () => Date.parse(NOW) };
const WHERE = { host: '127.0.0.1', port: 0 };

/** A cluster of that size after so many passes: of its nodes the first hundred say something else in each. */
function clusterOf(size: number, number: number): Status {
  const { pass } = aStatus();
  const idOf = (index: number) => createHash('md5').update(`machine ${index}`).digest('hex');
  const indices = Array.from({ length: size }, (_, index) => index);
  const addressOf = (index: number) => `10.${index >> 8}.${index & 255}.7`;
  return aStatus({
    pass: { ...pass, number },
    counts: {
      machines: { listed: size, matched: size, healthy: size },
      nodes: { keep: size },
      managed: size,
      held: 0,
      undone: 0,
    },
    machines: indices.map((index) =>
      aMachine({
        id: idOf(index),
        addresses: [addressOf(index)],
        metadata: { role: 'kubernetes', rack: `r${index % 40}`, disk: index % 2 ? 'ssd' : 'hdd' },
        kubelet: { state: 'healthy', detail: 'answered 200', since: aStatus().startedAt },
        node: addressOf(index),
      }),
    ),
    nodes: indices.map((index) =>
      aNode({
        name: addressOf(index),
        machine: idOf(index),
        origin: 'registered',
        managedSince: aStatus().startedAt,
        evidence: { ...EVIDENCE, kubelet: 'healthy', node: 'unread', alive: true },
        verdict: index < CHANGED && number % 2 === 1 ? 'in-grace' : 'keep',
        reason:
          index < CHANGED ? `not alive for ${number}m of 30m; kubelet unreachable` : 'kubelet healthy; node not read',
      }),
    ),
  });
}

export interface Served {
  readonly url: string;
  readonly now: Date;
  /** Another pass ends. */
  pass(): void;
  close(): Promise<void>;
}

export async function serve(size: number): Promise<Served> {
  let status = clusterOf(size, 1);
  let changed = () => {};
  const daemon = {
    statusSteps: () => inTwoSteps(status),
    onChange: (callback: () => void) => {
      changed = callback;
    },
  };
  const log = { write: () => {}, debug: () => {} };
  const routes = {
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    healthz: () => undefined,
    readyz: () => undefined,
    status: () => daemon.statusSteps(),
    ...pageRoutes(daemon, { listen: WHERE.host, pageHosts: [] }, { log, clock: STANDING }),
  };
  const server = await startWebServer({ listen: WHERE, routes, log, clock: systemClock });
  const pass = () => {
    status = clusterOf(size, status.pass.number + 1);
    changed();
  };
  return { now: new Date(NOW), url: `http://${WHERE.host}:${server.address.port}`, pass, close: () => server.close() };
}
