/** A real etcd and a real kube-apiserver on loopback, over TLS and with RBAC, and the administrator who may do everything. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { freePort } from '../integration/free-port.ts';
import { type Answer, Api, type Question } from './api.ts';
import { Authority } from './certificates.ts';
import { findPrograms, type Programs } from './programs.ts';
import { ServerProcess } from './server-process.ts';

/** The servers of one test file: started before its first test, gone after its last. */
export function serversOfThisFile(): Servers {
  const servers = new Servers();
  beforeAll(() => servers.start());
  beforeEach(({ onTestFailed }) => onTestFailed(() => servers.keepFolder()));
  afterAll(() => servers.close());
  return servers;
}

export class Servers {
  readonly programs: Programs = findPrograms();
  /** Everything that the run writes: certificates, tokens, etcd's data, logs. Named when something fails. */
  readonly folder = mkdtempSync(join(tmpdir(), 'kube-register-real-'));
  readonly authority = new Authority(this.programs.openssl, this.folder);
  readonly adminToken = randomBytes(16).toString('hex');
  #etcd: ServerProcess | undefined;
  #apiServer: ServerProcess | undefined;
  #etcdUrl = '';
  #api: Api | undefined;
  #isWanted = false;

  get api(): Api {
    if (this.#api === undefined) throw new Error('the servers have not been started');
    return this.#api;
  }

  get url(): string {
    return this.api.url;
  }

  async start(): Promise<void> {
    await this.authority.create();
    const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
    this.#etcdUrl = `http://127.0.0.1:${client}`;
    this.#etcd = this.#makeEtcd(`http://127.0.0.1:${peer}`);
    this.#apiServer = await this.#makeApiServer(secure);
    this.#api = new Api(`https://127.0.0.1:${secure}`, this.authority.caFile);
    try {
      await this.#etcd.start();
      await this.#apiServer.start();
    } catch (error) {
      this.keepFolder();
      throw error;
    }
  }

  /** A new folder in the folder of the run. */
  async subfolder(name: string): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(path);
    return path;
  }

  startApiServer(): Promise<void> {
    return this.#apiServer?.start() ?? Promise.resolve();
  }

  /** Connections to it are refused from now on. */
  stopApiServer(): Promise<void> {
    return this.#apiServer?.kill() ?? Promise.resolve();
  }

  /** The API server gets no answer from its store any more, and so gives none. */
  freezeStore(): void {
    this.#etcd?.freeze();
  }

  thawStore(): void {
    this.#etcd?.goOn();
  }

  /** Forgets all that was before this revision: lists that were begun there cannot be continued. */
  async compactStore(revision: string): Promise<void> {
    const body = JSON.stringify({ revision, physical: true });
    const { ok, status } = await fetch(`${this.#etcdUrl}/v3/kv/compaction`, { method: 'POST', body });
    if (!ok) throw new Error(`etcd would not forget what was before revision ${revision}: ${status}`);
  }

  /** What the administrator is answered, whatever it is. */
  askAsAdmin(path: string, question: Omit<Question, 'token'> = {}): Promise<Answer> {
    return this.api.ask(path, { ...question, token: this.adminToken });
  }

  /** The body of the answer to the administrator. Throws when the server does not do it. */
  async admin(path: string, question: Omit<Question, 'token'> = {}): Promise<unknown> {
    const { status, body } = await this.askAsAdmin(path, question);
    if (status >= 300) throw new Error(`${question.method ?? 'GET'} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Keeps the folder beyond the end and says where it is, for whoever looks into a failure. */
  keepFolder(): void {
    if (!this.#isWanted) process.stderr.write(`The logs of etcd and kube-apiserver are in ${this.folder}\n`);
    this.#isWanted = true;
  }

  async close(): Promise<void> {
    await this.#apiServer?.kill();
    await this.#etcd?.kill();
    if (!this.#isWanted) await rm(this.folder, { recursive: true });
  }

  #makeEtcd(peerUrl: string): ServerProcess {
    return new ServerProcess({
      program: this.programs.etcd,
      args: [
        `--data-dir=${join(this.folder, 'etcd')}`,
        `--listen-client-urls=${this.#etcdUrl}`,
        `--advertise-client-urls=${this.#etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
      ],
      logFile: join(this.folder, 'etcd.log'),
      isReady: async () => (await fetch(`${this.#etcdUrl}/health`)).ok,
    });
  }

  async #makeApiServer(port: number): Promise<ServerProcess> {
    const { certFile, keyFile } = await this.authority.serverAt('api-server', ['127.0.0.1']);
    const signingKey = await this.authority.signingKey();
    const tokenFile = join(this.folder, 'tokens.csv');
    await writeFile(tokenFile, `${this.adminToken},administrator,1,system:masters\n`, { mode: 0o600 });
    return new ServerProcess({
      program: this.programs['kube-apiserver'],
      args: [
        `--etcd-servers=${this.#etcdUrl}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${this.folder}`,
        `--tls-cert-file=${certFile}`,
        `--tls-private-key-file=${keyFile}`,
        `--service-account-key-file=${signingKey}`,
        `--service-account-signing-key-file=${signingKey}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--token-auth-file=${tokenFile}`,
        `--client-ca-file=${this.authority.caFile}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
        '--disable-admission-plugins=ServiceAccount',
      ],
      logFile: join(this.folder, 'kube-apiserver.log'),
      isReady: async () =>
        (await this.askAsAdmin('/readyz')).status === 200 &&
        // The server makes it a moment after it is ready.
        (await this.askAsAdmin('/api/v1/namespaces/default')).status === 200,
    });
  }
}
