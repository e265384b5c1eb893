/** `npm run demo`: the real daemon and a cluster in a lab tell a story; each step is read back from the daemon's /status. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../src/time/duration.ts';
import { DaemonActor, LabActor, type Seen } from './actors.ts';

/** Fast enough to be watched. A real cluster keeps the defaults: 30 s between passes, 15 and 30 minutes of grace. */
const FAST = {
  SYNC_INTERVAL: '1s',
  MISSING_GRACE: '4s',
  UNHEALTHY_GRACE: '4s',
  HEALTHZ_TIMEOUT: '500ms',
  LISTEN: '127.0.0.1:0',
};
const WORKERS = 6;

const { values } = parseArgs({ options: { for: { type: 'string' } } });
const forMs = values.for === undefined ? Number.POSITIVE_INFINITY : parseDuration(values.for);
if (forMs === undefined) {
  console.error(`--for ${values.for}: must be a duration, such as 60s`);
  process.exit(2);
}
const began = performance.now();
const interrupted = new Promise<void>((resolve) => process.once('SIGINT', resolve));

const lab = await LabActor.start();
const daemon = await DaemonActor.start(
  {
    FLEET_ENDPOINT: lab.places.fleet,
    API_ENDPOINT: lab.places.kubernetes,
    HEALTHZ_URL: lab.places.healthz,
    ...FAST,
  },
  (level, message) => console.log(`      ${level === 'info' ? ' ' : '!'} ${message}`),
);
let exitCode = 0;
try {
  await Promise.race([tellStory(), interrupted]);
  await Promise.race([interrupted, rest(forMs - (performance.now() - began))]);
} catch (error) {
  console.error(`\nThe story went wrong: ${error instanceof Error ? error.message : error}`);
  exitCode = 1;
}
const daemonEnded = await daemon.stop();
lab.stop();
process.exit(exitCode === 0 && daemonEnded !== 0 ? 1 : exitCode);

async function tellStory(): Promise<void> {
  say(`The daemon runs. Look at ${daemon.url}/ in a browser, or at ${daemon.url}/status and ${daemon.url}/metrics`);

  say(`${WORKERS} machines with role=kubernetes have joined fleet, and one with role=etcd.`);
  const workers: string[] = [];
  for (let count = 0; count < WORKERS; count += 1) workers.push(await lab.tell({ kind: 'join', role: 'kubernetes' }));
  await lab.tell({ kind: 'join', role: 'etcd' });
  const first = await daemon.until('all workers have a node', (seen) => workers.every((each) => isNode(seen, each)));
  read(`${first.nodes.length} nodes are registered; the etcd machine is ${verdictOf(first, 'not-selected')}.`);
  await lab.tell({ kind: 'kubelet reports ready' });

  say('A machine joins.');
  const joined = await lab.tell({ kind: 'join', role: 'kubernetes' });
  const grown = await daemon.until('the new machine has a node', (seen) => isNode(seen, joined));
  read(`node ${joined} is there: ${nodeOf(grown, joined)?.verdict}.`);
  await lab.tell({ kind: 'kubelet reports ready' });

  const [failing = '', destroyed = ''] = workers;
  say(`The kubelet of ${failing} dies; fleet still lists its machine.`);
  await lab.tell({ kind: 'kubelet fails', address: failing });
  const watched = await daemon.until('its grace period runs', (seen) => nodeOf(seen, failing)?.verdict === 'in-grace');
  read(`node ${failing}: ${nodeOf(watched, failing)?.reason}; ${nodeOf(watched, failing)?.next}.`);
  const without = await daemon.until('it is deregistered', (seen) => !isNode(seen, failing));
  read(`it is gone, and ${without.nodes.length} nodes stay; its machine is ${verdictOf(without, 'waiting')}.`);

  say(`The machine ${destroyed} is destroyed: fleet lists it no more, its kubelet is unreachable.`);
  await lab.tell({ kind: 'destroy', address: destroyed });
  const missed = await daemon.until('its grace period runs', (seen) => nodeOf(seen, destroyed)?.verdict === 'in-grace');
  read(`node ${destroyed}: ${nodeOf(missed, destroyed)?.reason}.`);
  const left = await daemon.until('it is deregistered', (seen) => !isNode(seen, destroyed));
  read(`it is gone, and ${left.nodes.length} nodes stay.`);

  say('fleet has trouble with etcd and answers that there are no machines at all.');
  await lab.tell({ kind: 'fleet forgets' });
  const orphans = await daemon.until('all are orphans', (seen) => all(seen, 'orphan'));
  read(`kept ${orphans.nodes.length} nodes; the first: ${orphans.nodes[0]?.reason}.`);

  say('And the network breaks: no kubelet is reachable, and every node is Unknown.');
  await lab.tell({ kind: 'network breaks' });
  const held = await daemon.until('the deletion guard is active', (seen) => seen.guard.held && all(seen, 'held'));
  read(`${held.guard.message}.`);
  const since = held.pass.lastSuccess;
  const patient = await daemon.until('passes go on', (seen) => passesLater(seen, since, 8_000));
  read(`twice the grace period later all ${patient.nodes.length} nodes are still there.`);

  say('All is well again.');
  await lab.tell({ kind: 'all is well again' });
  await daemon.until('every node is kept', (seen) => all(seen, 'keep') && !seen.guard.held);
  read('every node is kept, and nothing was lost.');
  say(
    Number.isFinite(forMs)
      ? 'That was the story.'
      : `That was the story. The daemon goes on until Ctrl-C: ${daemon.url}/`,
  );
}

function say(sentence: string): void {
  console.log(`\n${sentence}`);
}

function read(sentence: string): void {
  console.log(`   -> ${sentence}`);
}

function rest(ms: number): Promise<void> {
  return Number.isFinite(ms) ? delay(Math.max(0, ms)) : new Promise(() => {});
}

function nodeOf(seen: Seen, name: string): Seen['nodes'][number] | undefined {
  return seen.nodes.find((node) => node.name === name);
}

function isNode(seen: Seen, name: string): boolean {
  return nodeOf(seen, name) !== undefined;
}

function all(seen: Seen, verdict: string): boolean {
  return seen.nodes.length > 0 && seen.nodes.every((node) => node.verdict === verdict);
}

/** The machine with that verdict, in words. */
function verdictOf(seen: Seen, verdict: string): string {
  const machine = seen.machines.find((each) => each.verdict === verdict);
  if (machine === undefined) throw new Error(`no machine is ${verdict}`);
  return `${verdict} (${machine.reason})`;
}

function passesLater(seen: Seen, since: string | null, ms: number): boolean {
  return Date.parse(seen.pass.lastSuccess ?? '') - Date.parse(since ?? '') >= ms;
}
