/** One health check of one machine: its URLs raced against each other and against the clock. */

import { formatDuration } from '../time/duration.ts';
import { type Asking, ask, type KubeletTls, type Reply } from './ask.ts';
import type { HealthUrl } from './health-url.ts';
import type { KubeletAnswer } from './kubelet.ts';

/** What is the same for every machine. */
export interface RaceRules {
  readonly urls: readonly HealthUrl[];
  readonly tls: KubeletTls;
  /** Asked for before every request over TLS; undefined where none may be sent. */
  readonly token: (() => Promise<string | undefined>) | undefined;
  readonly timeoutMs: number;
  readonly headStartMs: number;
}

/** What came of the URL with this index. */
interface UrlReply {
  readonly index: number;
  readonly reply: Reply;
}

/** How a race ended. */
export interface RaceResult {
  readonly answer: KubeletAnswer;
  /** The index of the URL that answered, undefined when none did. */
  readonly winner: number | undefined;
}

/**
 * The first healthy answer wins at once. Any other answer waits for the rest, until there is none left or the time is over.
 * The favourite is asked alone for the head start, or until it gives no healthy answer. Once it is over, every connection is closed.
 */
export class Race {
  readonly #rules: RaceRules;
  readonly #address: string;
  readonly #favourite: number | undefined;
  readonly #done: (result: RaceResult | Error) => void;
  /** Each URL that was asked. */
  readonly #askings: { readonly index: number; readonly asking: Asking }[] = [];
  /** In the order in which they came. */
  readonly #replies: UrlReply[] = [];
  #timer: NodeJS.Timeout | undefined;
  #othersAsked = false;
  #over = false;

  /** `done` gets an Error when this machine itself cannot ask, so that nothing is known of the kubelet. */
  constructor(
    rules: RaceRules,
    address: string,
    favourite: number | undefined,
    done: (result: RaceResult | Error) => void,
  ) {
    this.#rules = rules;
    this.#address = address;
    this.#favourite = favourite;
    this.#done = done;
  }

  start(): void {
    const { timeoutMs, headStartMs } = this.#rules;
    if (this.#favourite === undefined) {
      this.#timer = setTimeout(() => this.#timeOut(), timeoutMs);
      this.#askOthers();
      return;
    }
    const headStart = Math.min(headStartMs, timeoutMs / 2);
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => this.#timeOut(), timeoutMs - headStart);
      this.#askOthers();
    }, headStart);
    this.#ask(this.#favourite);
  }

  /** Ends the race without a result. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const { asking } of this.#askings) asking.stop();
  }

  #askOthers(): void {
    if (this.#othersAsked) return;
    this.#othersAsked = true;
    this.#rules.urls.forEach((_url, index) => {
      if (index !== this.#favourite) this.#ask(index);
    });
  }

  #ask(index: number): void {
    const { urls, token } = this.#rules;
    const url = urls[index];
    if (url === undefined || this.#over) return;
    if (token === undefined || !url.secure) {
      this.#send(index, url);
      return;
    }
    token().then(
      (bearer) => this.#send(index, url, bearer),
      // Without a token the kubelet answers 401, which is a sign of life all the same.
      () => this.#send(index, url),
    );
  }

  #send(index: number, url: HealthUrl, bearer?: string): void {
    if (this.#over) return;
    const asking = ask(url, this.#address, this.#rules.tls, bearer, (reply) => this.#hear({ index, reply }));
    this.#askings.push({ index, asking });
  }

  #hear(heard: UrlReply): void {
    if (this.#over) return;
    this.#replies.push(heard);
    if (isHealthy(heard) || this.#replies.length === this.#rules.urls.length) this.#conclude();
    else this.#askOthers();
  }

  /** An answer that came while this process was busy elsewhere is read first: the kubelet is not to blame for that. */
  #timeOut(): void {
    setImmediate(() => {
      if (this.#over) return;
      for (const { index, asking } of this.#askings) {
        const reply = this.#replyOf(index) === undefined ? asking.soFar() : undefined;
        if (reply !== undefined) this.#replies.push({ index, reply });
      }
      this.#conclude();
    });
  }

  #conclude(): void {
    this.stop();
    const replies = this.#replies;
    const best =
      replies.find(isHealthy) ??
      replies.find(({ reply }) => 'status' in reply) ??
      replies.find(({ reply }) => 'unfinished' in reply);
    this.#done(best === undefined ? this.#silence() : { answer: this.#answer(best), winner: best.index });
  }

  #answer(best: UrlReply): KubeletAnswer {
    const detail = this.#outcome(best.index);
    if (isHealthy(best)) return { state: 'healthy', detail };
    // The kubelet may have refused plain HTTP only: why TLS failed is then what helps.
    const others = this.#replies.filter((each) => each.index !== best.index && !('status' in each.reply));
    const all = [detail, ...others.map(({ index }) => this.#outcome(index))].join(', ');
    const remedy = [best, ...others].flatMap(remediesOf)[0];
    if (remedy === undefined) return { state: 'answers', detail: all };
    return { state: 'answers', detail: `${all}; ${remedy}`, remedy };
  }

  #silence(): RaceResult | Error {
    const { urls, timeoutMs } = this.#rules;
    const timedOut = this.#replies.length < urls.length;
    const within = timedOut ? ` within ${formatDuration(timeoutMs)}` : '';
    const detail = `no answer${within}: ${urls.map((_url, index) => this.#outcome(index)).join(', ')}`;
    const isLocal = this.#replies.some(({ reply }) => 'local' in reply && reply.local);
    if (isLocal) return new Error(`this machine has too few file descriptors or buffers to check kubelets: ${detail}`);
    return { answer: { state: 'silent', detail, ...(timedOut && { timedOut }) }, winner: undefined };
  }

  #replyOf(index: number): Reply | undefined {
    return this.#replies.find((each) => each.index === index)?.reply;
  }

  /** `http://10.0.0.1:10255/healthz refused the connection`. Joined, since the text of a template keeps all of its parts in memory. */
  #outcome(index: number): string {
    return [this.#rules.urls[index]?.show(this.#address), wordsOf(this.#replyOf(index))].join(' ');
  }
}

function wordsOf(reply: Reply | undefined): string {
  if (reply === undefined) return 'timed out';
  if ('status' in reply) return `answered ${reply.status}`;
  return 'unfinished' in reply ? reply.unfinished : reply.problem;
}

function remediesOf({ reply }: UrlReply): readonly string[] {
  return 'unfinished' in reply && reply.remedy !== undefined ? [reply.remedy] : [];
}

/** A kubelet that asks for credentials is there, and well enough to refuse. */
function isHealthy({ reply }: UrlReply): boolean {
  if (!('status' in reply)) return false;
  const { status } = reply;
  return (status >= 200 && status <= 399) || status === 401 || status === 403;
}
