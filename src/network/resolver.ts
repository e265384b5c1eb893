/** A DNS resolver that notices when the name servers of its machine change. */
import { Resolver } from 'node:dns/promises';
import { stat } from 'node:fs/promises';

/** Where the name servers are configured; a symbolic link on many machines. */
const RESOLV_CONF = '/etc/resolv.conf';
const PATIENCE = { timeout: 2_000, tries: 2 };

type PtrResolver = Pick<Resolver, 'resolvePtr' | 'cancel'>;

/**
 * Node reads /etc/resolv.conf when a resolver is made, and never again (nodejs/node#49485). So the file is looked at before each lookup,
 * and a new resolver is made when it is another one.
 */
export class FreshResolver {
  readonly #path: string;
  readonly #make: () => PtrResolver;
  /** Those before the current one may still have lookups under way. */
  #resolvers: { readonly resolver: PtrResolver; pending: number }[] = [];
  #version: string | undefined;

  constructor(path = RESOLV_CONF, make: () => PtrResolver = () => new Resolver(PATIENCE)) {
    this.#path = path;
    this.#make = make;
  }

  /** Rejects as `dns.resolvePtr` does. */
  async resolvePtr(name: string): Promise<string[]> {
    const version = await versionOf(this.#path);
    if (version !== this.#version || this.#resolvers.length === 0) {
      this.#version = version;
      this.#resolvers = [
        ...this.#resolvers.filter(({ pending }) => pending > 0),
        { resolver: this.#make(), pending: 0 },
      ];
    }
    const current = this.#resolvers.at(-1);
    if (current === undefined) throw new Error('no resolver');
    current.pending += 1;
    try {
      return await current.resolver.resolvePtr(name);
    } finally {
      current.pending -= 1;
    }
  }

  /** Pending lookups are rejected. */
  close(): void {
    for (const { resolver } of this.#resolvers) resolver.cancel();
  }
}

/** Another text whenever the file is written to or replaced. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return [ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return 'unreadable';
  }
}
