/** Decides who may see which path of the port: by where the client is, by password and by client certificate. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Settings } from '../../settings/settings.ts';
import type { Clock } from '../../time/clock.ts';
import { clientOf, isFromOtherSite } from './client.ts';
import { type LoginResult, Logins } from './logins.ts';
import type { Denial } from './refusal.ts';
import { hasLogins, type WebConfig } from './web-config.ts';

/** What a path shows: `health` only whether the daemon works; `metrics` counts; `cluster` the machines and nodes. */
export type Shows = 'health' | 'metrics' | 'cluster';

/** A request that is admitted; one that logged in need not be protected from DNS rebinding. */
export interface Admission {
  readonly loggedIn: boolean;
}

export interface AccessOptions {
  readonly statusAccess: Settings['statusAccess'];
  readonly config: WebConfig;
}

/**
 * `health` is for everybody: probes have no passwords. Clients on this machine need no login, unless STATUS_ACCESS is login: who has a shell
 * here, or an SSH tunnel, can use the commands. Where there are logins, everybody else needs one, for /metrics too.
 */
export class Access {
  readonly #statusAccess: Settings['statusAccess'];
  readonly #config: WebConfig;
  readonly #logins: Logins;

  constructor({ statusAccess, config }: AccessOptions, clock: Pick<Clock, 'monotonic'>) {
    this.#statusAccess = statusAccess;
    this.#config = config;
    this.#logins = new Logins(config.users, clock);
  }

  async admit(request: IncomingMessage, shows: Shows): Promise<Admission | Denial> {
    const loggedIn = { loggedIn: true };
    const asGuest = { loggedIn: false };
    if (shows === 'health') return asGuest;
    if (shows === 'cluster' && isFromOtherSite(request)) return { denied: 'other-site' };
    const { isHere, forwardedBy, address } = clientOf(request);
    if (isHere && forwardedBy === undefined && this.#statusAccess !== 'login') return asGuest;
    if (hasLogins(this.#config)) {
      const login = await this.#login(request);
      if (login === 'ok') return loggedIn;
      return login === 'none' && shows === 'metrics' ? asGuest : this.#denial(login);
    }
    if (shows === 'metrics' || this.#statusAccess === 'all') return asGuest;
    return isHere && forwardedBy !== undefined
      ? { denied: 'forwarded', header: forwardedBy }
      : { denied: 'elsewhere', address };
  }

  /** `none`: a certificate would do, and none was given. A password is needed where there are users, as for the exporter-toolkit. */
  async #login({ socket, headers }: IncomingMessage): Promise<LoginResult | 'none' | Certificate> {
    const { tls, users } = this.#config;
    const asked = tls?.clientCertificates ?? 'not asked for';
    if (asked !== 'not asked for') {
      const certificate = certificateOf(socket);
      const isMissing = !certificate.given && asked === 'required';
      if (certificate.problem !== undefined || isMissing) return certificate;
      if (!certificate.given && users.size === 0) return 'none';
    }
    return users.size === 0 ? 'ok' : this.#logins.check(headers.authorization);
  }

  #denial(login: Exclude<LoginResult, 'ok'> | 'none' | Certificate): Denial {
    const here = this.#statusAccess !== 'login';
    if (login === 'none') return { denied: 'no-certificate', here };
    if (typeof login === 'string') return { denied: login, here };
    const { problem } = login;
    return problem === undefined ? { denied: 'no-certificate', here } : { denied: 'bad-certificate', here, problem };
  }
}

interface Certificate {
  readonly given: boolean;
  /** OpenSSL's code, where the certificate is not valid. */
  readonly problem?: string;
}

/** The client certificate of a connection. */
function certificateOf(socket: IncomingMessage['socket']): Certificate {
  if (!(socket instanceof TLSSocket) || Object.keys(socket.getPeerCertificate()).length === 0) return { given: false };
  return socket.authorized ? { given: true } : { given: true, problem: String(socket.authorizationError) };
}
