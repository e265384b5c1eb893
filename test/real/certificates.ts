/** Certificates for one run: an authority and servers that it vouches for, made with openssl. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of PEM files. */
export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
}

export class Authority {
  readonly caFile: string;
  /** The key of the authority itself. */
  readonly caKeyFile: string;
  readonly #openssl: string;
  readonly #folder: string;

  constructor(openssl: string, folder: string) {
    this.#openssl = openssl;
    this.#folder = folder;
    this.caFile = join(folder, 'ca.pem');
    this.caKeyFile = join(folder, 'ca.key');
  }

  /** Makes the authority itself; before anything else. */
  async create(): Promise<void> {
    // openssl's own configuration would add extensions that differ from machine to machine.
    await writeFile(join(this.#folder, 'openssl.cnf'), '[req]\ndistinguished_name=name\n[name]\n');
    await this.#request('ca', 'basicConstraints=critical,CA:TRUE');
  }

  /** A certificate for a server at these addresses. */
  async serverAt(name: string, addresses: readonly string[]): Promise<KeyPair> {
    const names = addresses.map((address) => `IP:${address}`).join(',');
    const signed = ['-CA', this.caFile, '-CAkey', this.caKeyFile];
    await this.#request(name, `subjectAltName=${names}`, signed);
    return { certFile: join(this.#folder, `${name}.pem`), keyFile: join(this.#folder, `${name}.key`) };
  }

  /** A private key alone: what an API server signs the tokens of service accounts with. */
  async signingKey(): Promise<string> {
    const file = join(this.#folder, 'signing.key');
    await run(this.#openssl, ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file]);
    return file;
  }

  async #request(name: string, extension: string, signed: readonly string[] = []): Promise<void> {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    const certificate = ['-x509', '-days', '2', '-subj', `/CN=${name}`, '-addext', extension, '-out', `${name}.pem`];
    await run(this.#openssl, ['req', '-config', 'openssl.cnf', ...key, ...certificate, ...signed], {
      cwd: this.#folder,
    });
  }
}
