/** What the commands print in a small cluster of the lab, for the documents: npm run docs writes it, a test compares it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Lab, type LabMachine, startLab } from '../lab/lab.ts';

/** The width of the terminal in characters. */
const COLUMNS = 100;
const PATIENCE_MS = 30_000;

/** Machines as fleet knows them; the last is no worker. No other lab has their addresses; the documents show others. */
const MACHINES = [
  {
    id: 'b6f1c0a27d7a4f0e9d2c5e8a1b3f4d6e',
    address: '127.88.0.11',
    shown: '10.0.0.11',
    metadata: { role: 'kubernetes', rack: 'r1' },
  },
  {
    id: '5c9d1e7f2a3b4c8d9e0f1a2b3c4d5e6f',
    address: '127.88.0.12',
    shown: '10.0.0.12',
    metadata: { role: 'kubernetes', rack: 'r2' },
  },
  {
    id: 'e3a2b1c4d5f60718293a4b5c6d7e8f90',
    address: '127.88.0.13',
    shown: '10.0.0.13',
    metadata: { role: 'kubernetes', rack: 'r2' },
  },
  { id: '0c4e6a8b1d3f5a7c9e2b4d6f8a0c1e3d', address: '127.88.0.5', shown: '10.0.0.5', metadata: { role: 'etcd' } },
] as const;

/** The lab's texts, each with what the documents show in its place. */
type Names = readonly (readonly [found: string, shown: string])[];

/** The commands with their output, by their names. `program` is a bundle of the program. */
export async function makeTranscripts(program: string): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-register-docs-'));
  const lab = await startLab({ kubernetes: { version: 'v1.20.2' } });
  const children: ChildProcess[] = [];
  try {
    await writeFile(join(folder, 'kube-register'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, {
      mode: 0o755,
    });
    const machines: LabMachine[] = [];
    for (const { id, address, metadata } of MACHINES) machines.push(await lab.addMachine({ id, address, metadata }));
    const env = {
      PATH: `${folder}:/usr/bin:/bin`,
      TERM: 'xterm',
      NO_COLOR: '1',
      KUBE_REGISTER_FLEET_ENDPOINT: lab.fleet.endpoint,
      KUBE_REGISTER_API_ENDPOINT: lab.kubernetes.url,
      KUBE_REGISTER_HEALTHZ_URL: lab.kubelets.healthzUrl,
      KUBE_REGISTER_SYNC_INTERVAL: '5m',
      KUBE_REGISTER_LISTEN: `127.0.0.1:${await freePort()}`,
    };
    const names = namesIn(lab, machines, env.KUBE_REGISTER_LISTEN);
    const typed = (command: string) => type(command, env, names);

    const giveBack = lab.kubernetes.authorization.forbid('patch', 'nodes');
    const [last] = machines.slice(2, 3);
    await last?.kubelet.stop();
    const check = await typed('kube-register check');
    const plan = await typed('kube-register plan');
    giveBack();
    await last?.kubelet.start();

    const daemon = spawn(join(folder, 'kube-register'), [], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(daemon);
    const url = `http://${env.KUBE_REGISTER_LISTEN}`;
    await passes(url, 1);
    for (const { address } of machines.slice(0, 3)) lab.kubernetes.setReady(address, true);
    await pass(daemon, url, 2);
    await last?.kubelet.stop();
    lab.kubernetes.setReady(last?.address ?? '', 'unknown');
    await pass(daemon, url, 3);
    const status = await typed('kube-register status');
    const explain = await typed('kube-register explain 10.0.0.13');
    const json = await typed('kube-register explain 10.0.0.13 -o json');
    return { check, plan, status, explain, json };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await lab.close();
    await rm(folder, { recursive: true });
  }
}

/** Without what differs from run to run: uids, times, durations, and the spaces that follow from their width. */
export function timeless(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, 'TIME')
    .replaceAll(/\b\d\d:\d\d(:\d\d)?\b/g, 'TIME')
    .replaceAll(/\b(\d+(\.\d+)?(ms|s|m|h|d))+\b/g, 'TIME')
    .replaceAll(/\s+/g, ' ');
}

/** The exit codes of a command that has printed what it should. */
const ANSWERED = [0, 1, 3];

/** Types the command at a terminal and resolves with what stands there, without its progress. Throws when it did not answer. */
async function type(command: string, env: Record<string, string>, names: Names): Promise<string> {
  const inLab = names.reduce((text, [found, shown]) => text.replaceAll(shown, found), command);
  const errors = join(await mkdtemp(join(tmpdir(), 'kube-register-docs-')), 'stderr');
  const script = `stty cols ${COLUMNS} rows 50; ${inLab} 2>${errors}; echo "exit code $?"`;
  const { stdout } = await promisify(execFile)('script', ['-qec', script, '/dev/null'], { env });
  const problems = await readFile(errors, 'utf8');
  await rm(dirname(errors), { recursive: true });
  const [, printed = '', code = ''] = /^(.*)exit code (\d+)\s*$/s.exec(stdout.replaceAll('\r', '')) ?? [];
  if (!ANSWERED.includes(Number(code)) || /\bat \S+:\d+:\d+/.test(problems)) {
    throw new Error(`${command} ended with ${code}:\n${printed}${problems}`);
  }
  const shown = names.reduce((text, [found, name]) => replaced(text, found, name), printed);
  return `\`\`\`console\n$ ${command}\n${shown.replaceAll(/ +$/gm, '').trimEnd()}\n\`\`\`\n`;
}

/** With another name of the same width in columns, where spaces follow. */
function replaced(text: string, found: string, name: string): string {
  const pad = ' '.repeat(Math.max(0, found.length - name.length));
  return text.replaceAll(`${found}  `, `${name}${pad}  `).replaceAll(found, name);
}

/** The longest texts first, so that no address is taken for a part of another. */
function namesIn(lab: Lab, machines: readonly LabMachine[], listen: string): Names {
  const kubeletPort = new URL(lab.kubelets.healthzUrl.replace('{ip}', '127.0.0.1')).port;
  const found: (readonly [string, string])[] = [
    [lab.fleet.endpoint, 'unix:///var/run/fleet.sock'],
    [lab.kubernetes.url, 'http://127.0.0.1:8080'],
    [listen, '127.0.0.1:10271'],
    [listen.replace(/^.*:/, ':'), ':10271'],
    [`port ${listen.replace(/^.*:/, '')}`, 'port 10271'],
    [`:${kubeletPort}/`, ':10255/'],
    ...machines.map(({ address }, index) => [address, MACHINES[index]?.shown ?? ''] as const),
  ];
  return found.toSorted(([a], [b]) => b.length - a.length);
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Has the daemon make a pass. */
async function pass(daemon: ChildProcess, url: string, count: number): Promise<void> {
  daemon.kill('SIGUSR2');
  await passes(url, count);
}

/** Resolves when the daemon has made that many passes. */
async function passes(url: string, count: number): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const metrics = await fetch(`${url}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    if (Number(/^kube_register_passes_total (\d+)$/m.exec(metrics)?.[1] ?? 0) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the daemon has not made ${count} passes within ${PATIENCE_MS} ms`);
}
