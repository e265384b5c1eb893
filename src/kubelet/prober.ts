/** Health checks of kubelets: many machines at a time, each bounded, and what answered last time asked first. */
import { createSecureContext } from 'node:tls';
import { secureContextOf, type TlsMaterial } from '../credentials/tls-files.ts';
import { tokenProblem } from '../credentials/token-file.ts';
import type { KubeletTls } from './ask.ts';
import { parseHealthUrl } from './health-url.ts';
import type { KubeletProber, KubeletState } from './kubelet.ts';
import { Race, type RaceResult, type RaceRules } from './race.ts';
import { type Check, Turns } from './turns.ts';

export interface KubeletProberOptions {
  /** `http://{ip}:10255/healthz`, with `{ip}` as the whole host; at least one. */
  readonly urlTemplates: readonly string[];
  /** For all URLs of a machine together, from when its turn has come. */
  readonly timeoutMs: number;
  /** Machines that are asked at the same time. */
  readonly concurrency: number;
  /** Without a CA certificates are not verified, and neither client certificate nor token is sent. */
  readonly tls: TlsMaterial;
  readonly token?: (() => Promise<string | undefined>) | undefined;
  /** How long the URL that answered last time is asked alone; 100 ms where it is not given. */
  readonly headStartMs?: number;
  readonly observer: KubeletObserver;
}

/** What is counted of health checks; the metrics implement it. */
interface KubeletObserver {
  /** Called for every check that was not aborted; the time it waited for its turn is not counted. */
  healthCheckDone(state: KubeletState, seconds: number): void;
}

/** Four times the nodes that Kubernetes states as its limit. */
const REMEMBERED_ADDRESSES = 20_000;

/**
 * A check rejects when this machine lacks what it takes to ask (file descriptors, memory): that says nothing of the kubelet.
 */
export function createKubeletProber(options: KubeletProberOptions): KubeletProber {
  const { timeoutMs, headStartMs = 100, observer, tls } = options;
  const rules: RaceRules = {
    urls: options.urlTemplates.map(parseHealthUrl),
    tls: kubeletTls(tls),
    token: tls.ca === undefined ? undefined : usableToken(options.token),
    timeoutMs,
    headStartMs,
  };
  /** Which URL answered last time, by address; the address that was asked longest ago comes first. */
  const favourites = new Map<string, number>();
  const turns = new Turns(options.concurrency, (check) => {
    const { address } = check;
    const started = performance.now();
    const race = new Race(rules, address, favourites.get(address), (result) => end(check, result, started));
    race.start();
    return race;
  });

  function end(check: Check, result: RaceResult | Error, started: number): void {
    if (result instanceof Error) {
      turns.end(check);
      check.reject(result);
      return;
    }
    const { answer, winner } = result;
    observer.healthCheckDone(answer.state, (performance.now() - started) / 1000);
    if (winner !== undefined && rules.urls.length > 1) remember(check.address, winner);
    turns.end(check);
    check.resolve(answer);
  }

  function remember(address: string, index: number): void {
    favourites.delete(address);
    favourites.set(address, index);
    const [oldest] = favourites.keys();
    if (oldest !== undefined && favourites.size > REMEMBERED_ADDRESSES) favourites.delete(oldest);
  }

  return {
    check: (address, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) reject(signal.reason);
        else turns.take({ address, signal, resolve, reject });
      }),
  };
}

function kubeletTls({ ca, cert, key }: TlsMaterial): KubeletTls {
  if (ca === undefined) {
    // A sign of life only. Kubelets of 2015 may know nothing but what is refused today.
    const secureContext = createSecureContext({ minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
    return { secureContext, rejectUnauthorized: false };
  }
  return {
    secureContext: secureContextOf({ ca, ...(cert && { cert }), ...(key && { key }) }),
    rejectUnauthorized: true,
  };
}

/** Undefined instead of a token that no header can carry: the kubelet's 401 then says what is wrong. */
function usableToken(token: KubeletProberOptions['token']): KubeletProberOptions['token'] {
  if (token === undefined) return undefined;
  return async () => {
    const bearer = await token();
    return bearer !== undefined && tokenProblem(bearer) === undefined ? bearer : undefined;
  };
}
