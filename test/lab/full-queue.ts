/** A listening socket whose accept queue is full: the kernel drops what else asks for a connection, as with a server that is stuck. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Where a socket listens, over IPv4. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Linux queues one connection more than it is told to (`sk_acceptq_is_full`). */
const BACKLOG = 1;
const HELD = BACKLOG + 1;

/** It listens, and then its thread sleeps: nobody accepts. */
const NEVER_ACCEPTS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ ...workerData.place, backlog: ${BACKLOG} }, () => {
    parentPort.postMessage('listening');
    setImmediate(() => Atomics.wait(workerData.never, 0, 0));
  });
`;

export class FullQueue {
  readonly #place: Place;
  readonly #thread: Worker;
  readonly #queued: readonly Socket[];

  constructor(place: Place, thread: Worker, queued: readonly Socket[]) {
    this.#place = place;
    this.#thread = thread;
    this.#queued = queued;
  }

  /** How many connections to it are asked for and not answered, by the kernel's own account. Linux only. */
  async unanswered(): Promise<number> {
    const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
    const to = inProc(this.#place);
    return rows.filter(([, , remote, state]) => remote === to && state === SYN_SENT).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#queued) socket.destroy();
    await this.#thread.terminate();
  }
}

/** Listens there, where nobody else may, and fills the queue. */
export async function fillQueue(place: Place): Promise<FullQueue> {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(NEVER_ACCEPTS, { eval: true, workerData: { place, never } });
  await once(thread, 'message');
  const queued = Array.from({ length: HELD }, () => connect(place));
  for (const socket of queued) socket.on('error', () => undefined);
  await Promise.all(queued.map((socket) => once(socket, 'connect')));
  return new FullQueue(place, thread, queued);
}

/** As the kernel numbers the states of a connection (`include/net/tcp_states.h`). */
const SYN_SENT = '02';

/** `0100007F:1F90` for 127.0.0.1:8080: the address as a number of this machine, which has the last octet first. */
function inProc({ host, port }: Place): string {
  const octets = host.split('.').map((octet) => hex(Number(octet), 2));
  return `${octets.reverse().join('')}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
