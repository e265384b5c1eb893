/** Checks the passwords of basic authentication against bcrypt hashes, and limits the CPU that wrong ones cost. */
import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Clock } from '../../time/clock.ts';
import { costOf } from './web-config-schema.ts';

/** What came of a request's Authorization header. `busy`: too many passwords wait to be checked. */
export type LoginResult = 'ok' | 'missing' | 'wrong' | 'busy';

/** How many passwords may wait. Browsers and Prometheus send one that was checked before. */
const MOST_WAITING = 8;
const MOST_REMEMBERED = 100;

export class Logins {
  readonly #users: ReadonlyMap<string, string>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** One at a time, as bcrypt uses nothing but CPU. */
  readonly #limit = pLimit(1);
  /** Passwords are remembered by a keyed hash, so that none stays in memory. */
  readonly #key = randomBytes(32);
  /** Right ones are apart from the others, so that a guesser cannot push them out. */
  readonly #right = new Set<string>();
  readonly #others = new Map<string, Promise<boolean>>();

  constructor(users: ReadonlyMap<string, string>, clock: Pick<Clock, 'monotonic'>) {
    this.#users = users;
    this.#clock = clock;
  }

  async check(authorization: string | undefined): Promise<LoginResult> {
    const given = credentialsIn(authorization);
    if (given === undefined) return authorization === undefined ? 'missing' : 'wrong';
    const id = createHmac('sha256', this.#key)
      .update(JSON.stringify([given.user, given.password]))
      .digest('base64');
    if (this.#right.has(id)) return 'ok';
    const known = this.#others.get(id);
    if (known === undefined && this.#limit.pendingCount >= MOST_WAITING) return 'busy';
    const isRight = await (known ?? this.#remember(id, this.#verify(given.user, given.password)));
    return isRight ? 'ok' : 'wrong';
  }

  #remember(id: string, checking: Promise<boolean>): Promise<boolean> {
    this.#others.set(id, checking);
    const [oldest] = this.#others.keys();
    if (this.#others.size > MOST_REMEMBERED && oldest !== undefined) this.#others.delete(oldest);
    checking.then(
      (isRight) => {
        if (!isRight) return;
        this.#others.delete(id);
        // A user has one password, but bcrypt ignores what is behind its 72nd byte.
        if (this.#right.size >= MOST_REMEMBERED) this.#right.clear();
        this.#right.add(id);
      },
      () => this.#others.delete(id),
    );
    return checking;
  }

  /** An unknown user takes as long as the slowest known one. Afterwards as long a pause: at most half of the CPU goes to passwords. */
  #verify(user: string, password: string): Promise<boolean> {
    const known = this.#users.get(user);
    const hash = known ?? this.#slowest();
    return new Promise((resolve, reject) => {
      void this.#limit(async () => {
        const startMs = this.#clock.monotonic();
        // Loaded only here: most daemons check no passwords.
        const checking = import('bcryptjs').then(({ compare }) => compare(password, hash));
        await checking.then((isRight) => resolve(isRight && known !== undefined), reject);
        await sleep(this.#clock.monotonic() - startMs, undefined, { ref: false });
      });
    });
  }

  #slowest(): string {
    return [...this.#users.values()].reduce((slow, hash) => (costOf(hash) > costOf(slow) ? hash : slow));
  }
}

/** RFC 7617: the user name has no colon. */
function credentialsIn(authorization = ''): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic +(?<encoded>[\w+/-]+=*)\s*$/i.exec(authorization)?.groups?.['encoded'];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
