/** Certificates of every kind that servers and clients are found with, made with openssl. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate and its key, as PEM, and what signs others with them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What is asked of a new certificate. */
export interface CertificateRequest {
  /** `/O=...`; the name of the certificate as CN where it is not given. */
  readonly subject?: string;
  /** Options of `openssl req -newkey`; P-256 where they are not given. */
  readonly newKey?: readonly string[];
  /** The key of this certificate is used instead of a new one. */
  readonly keyOf?: Certificate;
  /** Lines of openssl's configuration. Without any it is a certificate of version 1, where openssl makes such. */
  readonly extensions?: readonly string[];
  /** Itself where it is not given. */
  readonly signedBy?: Pick<Certificate, 'certFile' | 'keyFile'>;
  readonly digest?: 'sha1' | 'sha256' | 'sha512';
  /** `YYYYMMDDHHMMSSZ` */
  readonly from?: string;
  readonly until?: string;
}

const CONFIG = `[req]
distinguished_name=name
[name]
[ca]
default_ca=here
[here]
database=index
new_certs_dir=.
rand_serial=yes
unique_subject=no
policy=anything
[anything]
organizationName=optional
commonName=optional
`;

/** Makes certificates in a folder, one after the other. */
export class Pki {
  readonly #openssl: string;
  readonly #folder: string;

  constructor(openssl: string, folder: string) {
    this.#openssl = openssl;
    this.#folder = folder;
  }

  /** Prepares the folder; before anything else. */
  async open(): Promise<void> {
    await writeFile(join(this.#folder, 'openssl.cnf'), CONFIG);
    await writeFile(join(this.#folder, 'index'), '');
  }

  /** Makes a certificate and its key, in the files `NAME.pem` and `NAME.key`. */
  async make(name: string, request: CertificateRequest): Promise<Certificate> {
    const { subject = `/CN=${name}`, newKey = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], keyOf } = request;
    const {
      extensions = [],
      signedBy,
      digest = 'sha256',
      from = '20200101000000Z',
      until = '21000101000000Z',
    } = request;
    const [certFile, csrFile, extensionFile] = [this.#path(`${name}.pem`), `${name}.csr`, `${name}.ext`];
    const keyFile = keyOf?.keyFile ?? this.#path(`${name}.key`);
    const key = keyOf === undefined ? ['-newkey', ...newKey, '-nodes', '-keyout', keyFile] : ['-key', keyFile];
    // An Ed25519 request has no digest of its own, and takes none.
    await this.run(['req', '-new', '-config', 'openssl.cnf', '-subj', subject, ...key, '-out', csrFile]);
    await writeFile(this.#path(extensionFile), `${extensions.join('\n')}\n`);
    await this.run([
      ...['ca', '-batch', '-notext', '-config', 'openssl.cnf', '-in', csrFile, '-out', certFile],
      ...['-startdate', from, '-enddate', until, '-md', digest, '-preserveDN'],
      ...(extensions.length === 0 ? [] : ['-extfile', extensionFile]),
      ...(signedBy === undefined
        ? ['-selfsign', '-keyfile', keyFile]
        : ['-cert', signedBy.certFile, '-keyfile', signedBy.keyFile]),
    ]);
    return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8'), certFile, keyFile };
  }

  /** What openssl prints. */
  async run(args: readonly string[]): Promise<string> {
    return (await run(this.#openssl, args, { cwd: this.#folder })).stdout;
  }

  #path(file: string): string {
    return join(this.#folder, file);
  }
}
