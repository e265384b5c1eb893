/** Real servers on loopback for one test each: well-behaved HTTP ones, and raw sockets that say whatever a test wants. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { createServer as createRawServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

export interface Loopback {
  readonly port: number;
  /** Connections that were accepted so far, open or not. */
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** A file of test/certificates. */
export function certificate(file: string): string {
  return readFileSync(new URL(`../certificates/${file}`, import.meta.url), 'utf8');
}

/** Three bytes of loopback addresses that no other process has which tests here; `block` tells what they are for: 64 or 128. */
export function ownNetwork(block: 64 | 128): string {
  return `127.${block + ((process.pid >> 8) % 64)}.${process.pid % 256}`;
}

export function serveHttp(listener: RequestListener, where: ListenOptions = {}): Promise<Loopback> {
  return listen(createHttpServer(listener), where);
}

/** `name` is the certificate's: server, elsewhere, expired or kubelet. */
export function serveHttps(
  name: string,
  listener: RequestListener,
  { host = '127.0.0.1', ...options }: ServerOptions & { readonly host?: string } = {},
  onSecure: (socket: TLSSocket) => void = () => {},
): Promise<Loopback> {
  const server = createHttpsServer(
    { cert: certificate(`${name}.pem`), key: certificate(`${name}.key`), ...options },
    listener,
  );
  server.on('tlsClientError', () => {});
  server.on('secureConnection', onSecure);
  return listen(server, { host });
}

/** Hands every connection over as it is; what goes wrong on it is the test's intention. */
export function serveRaw(onSocket: (socket: Socket) => void): Promise<Loopback> {
  const server = createRawServer((socket) => {
    // A socket that nobody reads does not notice that the other side has left.
    socket.resume();
    onSocket(socket);
  });
  return listen(server);
}

/** As serveRaw, behind a TLS handshake with the certificate `server`. */
export function serveRawTls(onSocket: (socket: TLSSocket) => void): Promise<Loopback> {
  const files = { cert: certificate('server.pem'), key: certificate('server.key') };
  const server = createTlsServer(files, (socket) => {
    socket.on('error', () => {});
    socket.resume();
    onSocket(socket);
  });
  server.on('tlsClientError', () => {});
  return listen(server);
}

/** A port on which nothing listens: connections to it are refused. */
export async function refusingPort(): Promise<number> {
  const server = await serveRaw(() => {});
  await server.close();
  return server.port;
}

/** Writes the text again and again, at this distance, for as long as somebody is there. */
export function drip(socket: Socket, text: string, everyMs = 5): void {
  const timer = setInterval(() => socket.write(text), everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** What Node warns of during the test: of too many listeners, say. */
export function collectWarnings(): readonly string[] {
  const warnings: string[] = [];
  const collect = (warning: Error) => warnings.push(warning.message);
  process.on('warning', collect);
  onTestFinished(() => void process.off('warning', collect));
  return warnings;
}

/** Ends the connection as a crash does; under TLS that cannot be done, and it is cut off instead. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function listen(server: Server, where: ListenOptions = {}): Promise<Loopback> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(close);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where.path === undefined ? { host: '127.0.0.1', port: 0, ...where } : where, () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address !== null ? address.port : 0, sockets, close });
    });
  });
}
