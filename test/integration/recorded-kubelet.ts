/** Kubelets that answer as they were recorded, on the ports that kubelets have, and ports behind which nothing ever answers. */
import { createServer as createHttpServer, Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type RecordedResponse, readRecording } from '../lab/recording.ts';
import { certificate, ownNetwork } from './loopback.ts';

/** The first byte of a TLS handshake. */
const HANDSHAKE = 0x16;

/** One port of a kubelet. What is undefined there ends the connection without a word. */
interface Port {
  readonly port: number;
  readonly http: Pick<RecordedResponse, 'status' | 'body'> | undefined;
  readonly https: Pick<RecordedResponse, 'status' | 'body'> | undefined;
  readonly tls?: ServerOptions;
}

let handedOut = 0;

/** An address that no lab hands out, nor another process that runs this. */
export function freshAddress(): string {
  handedOut += 1;
  return `${ownNetwork(64)}.${handedOut}`;
}

/** What the kubelet of that release said at each of these two ports; a port that refused is not there. */
export function recordedPorts(release: string): readonly Port[] {
  const exchanges = readRecording(`kubelet/${release}.json`);
  return [10_255, 10_250].flatMap((port) => {
    const said = (scheme: string) => {
      const of = ({ name }: { name: string }) => name.startsWith(`${scheme}:`) && new URL(name).port === `${port}`;
      const response = exchanges.find(of)?.response;
      return response === undefined ? undefined : { status: response.status, body: response.body };
    };
    const [http, https] = [said('http'), said('https')];
    return http === undefined && https === undefined ? [] : [{ port, http, https }];
  });
}

/** Serves these ports at this address until the test is over. The certificate is one of the kubelet's own making. */
export async function serveKubelet(address: string, ports: readonly Port[]): Promise<void> {
  await Promise.all(ports.map((port) => servePort(address, port)));
}

async function servePort(address: string, { port, http, https, tls }: Port): Promise<void> {
  const own = { cert: certificate('kubelet.pem'), key: certificate('kubelet.key') };
  const plainServer = http === undefined ? undefined : createHttpServer(answering(http));
  const tlsServer = https === undefined ? undefined : createHttpsServer({ ...own, ...tls }, answering(https));
  tlsServer?.on('tlsClientError', () => {});
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      // An HTTP server that is greeted in TLS says 400, as Go's does.
      handOver(socket, first[0] === HANDSHAKE && tlsServer !== undefined ? tlsServer : plainServer);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: address, port }, resolve);
  });
}

function answering({ status, body }: { status: number; body: string }): RequestListener {
  return (_request, response) => response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(body);
}

function handOver(socket: Socket, server: Server | undefined): void {
  if (server === undefined) {
    socket.destroy();
    return;
  }
  server.emit('connection', socket);
  // What was put back is read only by a socket that flows, and the one of TLS begins by itself.
  if (server instanceof HttpServer) socket.resume();
}

interface BlackHole {
  readonly port: number;
  /** Whether a connection that was begun before is still without an answer. */
  dropsPackets(): boolean;
}

/**
 * A port that drops every packet, as a firewall does: nobody accepts there, and once its queue is full Linux answers no SYN.
 */
export async function blackHole(address: string, port = 0): Promise<BlackHole> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ ...workerData, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true, workerData: { host: address, port } },
  );
  const taken = await new Promise<number>((resolve, reject) => {
    worker.once('error', reject).once('message', (message) => resolve(z.number().parse(message)));
  });
  const sockets: Socket[] = [];
  const open = () => {
    const socket = connect(taken, address).on('error', () => {});
    sockets.push(socket);
    return socket;
  };
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await worker.terminate();
  });
  // The queue takes one more than its size.
  for (let queued = 0; queued < 2; queued += 1) {
    await new Promise((resolve) => open().once('connect', resolve));
  }
  const last = open();
  return { port: taken, dropsPackets: () => last.connecting };
}
