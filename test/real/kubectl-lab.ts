/** What variants of kubeconfig files and of TLS are made from: the API server, certificates, fronts, and files beside a kubeconfig. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fronts } from './fronts.ts';
import { type Certificate, type CertificateRequest, Pki } from './pki.ts';
import type { Servers } from './servers.ts';

/** The subjectAltName of where all servers of the tests listen. */
export const HERE = 'subjectAltName=IP:127.0.0.1';
/** The extension of an authority. */
export const CA = 'basicConstraints=critical,CA:TRUE';

/** A user whose groups let it do everything. */
const ADMINISTRATOR = '/O=system:masters/CN=variant';

/** Everything of a test file that its variants share. */
export class KubectlLab {
  readonly servers: Servers;
  readonly fronts: Fronts;
  readonly #pki: Pki;
  /** By name: what one variant has made is there for the next. */
  readonly #made = new Map<string, Certificate>();
  #line: Promise<unknown> = Promise.resolve();

  constructor(servers: Servers, pki: Pki) {
    this.servers = servers;
    this.fronts = new Fronts(servers.url, servers.authority.caFile);
    this.#pki = pki;
  }

  /** A lab around servers that run. */
  static async open(servers: Servers): Promise<KubectlLab> {
    const pki = new Pki(servers.programs.openssl, await servers.subfolder('pki'));
    await pki.open();
    return new KubectlLab(servers, pki);
  }

  /** What one variant uses, in a new folder of its own. */
  async bench(name: string): Promise<Bench> {
    return new Bench(this, await this.servers.subfolder(name));
  }

  /** Makes a certificate once; by the authority of the API server when `signedBy` says so. */
  certificate(name: string, request: CertificateRequest): Promise<Certificate> {
    // openssl keeps an index in a file, which two at once would spoil.
    const next = this.#line.then(async () => {
      const made = this.#made.get(name) ?? (await this.#pki.make(name, request));
      this.#made.set(name, made);
      return made;
    });
    this.#line = next.catch(() => {});
    return next;
  }

  /** Runs openssl in the folder of the certificates and gives what it prints. */
  openssl(...args: readonly string[]): Promise<string> {
    return this.#pki.run(args);
  }
}

/** The parts of a kubeconfig that differ from one with the administrator's token and the API server's CA. Undefined takes a field away. */
export interface Parts {
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly top?: Readonly<Record<string, unknown>>;
}

/** What one variant uses. */
export class Bench {
  readonly lab: KubectlLab;
  readonly folder: string;

  constructor(lab: KubectlLab, folder: string) {
    this.lab = lab;
    this.folder = folder;
  }

  get url(): string {
    return this.lab.servers.url;
  }

  get token(): string {
    return this.lab.servers.adminToken;
  }

  get caFile(): string {
    return this.lab.servers.authority.caFile;
  }

  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  /** Signs with the authority of the API server. */
  get authority(): { readonly certFile: string; readonly keyFile: string } {
    return { certFile: this.caFile, keyFile: this.lab.servers.authority.caKeyFile };
  }

  /** A kubeconfig that works, but for the parts. */
  config({ cluster, user, context, top }: Parts = {}): object {
    return {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'real', cluster: { server: this.url, 'certificate-authority': this.caFile, ...cluster } }],
      users: [{ name: 'me', user: { token: this.token, ...user } }],
      contexts: [{ name: 'here', context: { cluster: 'real', user: 'me', ...context } }],
      'current-context': 'here',
      ...top,
    };
  }

  /** Writes a file beside the kubeconfig and gives its path. */
  async write(name: string, content: string | Buffer): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  /** A certificate of a client that may do everything, signed by the authority of the API server. */
  client(name = 'client', request: CertificateRequest = {}): Promise<Certificate> {
    const extensions = ['extendedKeyUsage=clientAuth'];
    return this.lab.certificate(name, { subject: ADMINISTRATOR, extensions, signedBy: this.authority, ...request });
  }

  /** An authority of its own, which the API server does not know. */
  root(name = 'root', request: CertificateRequest = {}): Promise<Certificate> {
    return this.lab.certificate(name, { extensions: [CA], ...request });
  }

  /** The certificate of a server where all servers of the tests listen. */
  leaf(name: string, request: CertificateRequest): Promise<Certificate> {
    return this.lab.certificate(name, { extensions: [HERE], ...request });
  }
}
