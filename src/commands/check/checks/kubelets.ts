/** The check of the kubelets: which are healthy, at which URL, and whether the usual URLs reach the others. */

import { openKubelets } from '../../../daemon/clients.ts';
import { parseHealthUrl } from '../../../kubelet/health-url.ts';
import type { KubeletAnswer, KubeletProber } from '../../../kubelet/kubelet.ts';
import { createKubeletProber } from '../../../kubelet/prober.ts';
import type { Candidate } from '../../../reconcile/evidence/machines.ts';
import type { Settings } from '../../../settings/settings.ts';
import { rowOf } from '../../../settings/table.ts';
import { plural } from '../../../text/plural.ts';
import { examples, type Finding, named, ok, warning, wrong } from '../finding.ts';
import { type Failure, failureOf, mendOf, RAISE_FILE_LIMIT } from '../mends.ts';

export interface KubeletResult {
  /** By address: every candidate's kubelet. */
  readonly answers: ReadonlyMap<string, KubeletAnswer>;
  /** A usual URL at which kubelets answer that are silent at those that are set. */
  readonly usualUrl: string | undefined;
  /** Gives the pass the same answers, so that no kubelet is checked twice. */
  readonly prober: KubeletProber;
}

/** Why kubelets could not be checked: a file of credentials, or a resource that this machine lacks. */
export type KubeletTrouble = { readonly failure: Failure } | { readonly problem: string };

const NO_METRICS = { healthCheckDone: () => {} };
/** How many unreachable kubelets are also checked at the usual URLs. */
const MOST_TRIED = 20;

/** Checks every candidate's kubelet. Throws only the signal's reason. */
export async function inspectKubelets(
  settings: Settings,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<KubeletResult | KubeletTrouble> {
  let prober: KubeletProber;
  try {
    prober = cached(await openKubelets(settings, NO_METRICS));
  } catch (error) {
    return { failure: failureOf(error) };
  }
  try {
    const answers = new Map<string, KubeletAnswer>();
    await Promise.all(
      candidates.map(async ({ address }) => void answers.set(address, await prober.check(address, signal))),
    );
    const silent = [...answers].filter(([, { state }]) => state === 'silent').map(([address]) => address);
    return { answers, usualUrl: await findUsualUrl(settings, silent, signal), prober };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Checks each address once, and gives the same answer again. */
function cached(prober: KubeletProber): KubeletProber {
  const asked = new Map<string, Promise<KubeletAnswer>>();
  return {
    check(address, signal) {
      const before = asked.get(address);
      if (before !== undefined) return before;
      const answer = prober.check(address, signal);
      asked.set(address, answer);
      return answer;
    },
  };
}

async function findUsualUrl(
  { kubelet: { urlTemplates, timeoutMs } }: Settings,
  silent: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const usual = (rowOf('HEALTHZ_URL').default ?? '').split(',').filter((template) => !urlTemplates.includes(template));
  if (usual.length === 0 || silent.length === 0) return undefined;
  const prober = createKubeletProber({
    urlTemplates: usual,
    timeoutMs,
    concurrency: MOST_TRIED,
    tls: {},
    observer: NO_METRICS,
  });
  const asked = silent.slice(0, MOST_TRIED);
  const answers = await Promise.all(
    asked.map(async (address) => [address, await prober.check(address, signal)] as const),
  );
  return countByUrl(new Map(answers), usual)[0]?.template;
}

interface Count {
  readonly template: string;
  readonly count: number;
}

/** How many kubelets are healthy at each URL, the most first. */
function countByUrl(answers: ReadonlyMap<string, KubeletAnswer>, templates: readonly string[]): readonly Count[] {
  const counts = templates.map((template) => {
    const { show } = parseHealthUrl(template);
    const healthy = [...answers].filter(
      ([address, { state, detail }]) => state === 'healthy' && detail.startsWith(`${show(address)} answered `),
    );
    return { template, count: healthy.length };
  });
  return counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}

export function checkKubelets(result: KubeletResult | KubeletTrouble, { kubelet }: Settings): Finding {
  if ('failure' in result) return named('kubelets', wrong(result.failure.message, mendOf(result.failure)));
  if ('problem' in result) return named('kubelets', wrong(result.problem, RAISE_FILE_LIMIT));
  const { answers, usualUrl } = result;
  const all = [...answers.values()];
  const healthy = all.filter(({ state }) => state === 'healthy').length;
  const urls = countByUrl(answers, kubelet.urlTemplates).map(({ template, count }) => `${count} at ${template}`);
  const where = urls.length > 0 ? ` (${urls.join(', ')})` : '';
  const sentence = `${healthy} of ${plural(all.length, 'kubelet')} are healthy${where}`;
  if (healthy === all.length) return named('kubelets', ok(sentence));

  const silent = all.filter(({ state }) => state === 'silent').map(({ detail }) => detail);
  const unwell = all.filter(({ state }) => state === 'answers').map(withoutRemedy);
  const refused = all.find(({ remedy }) => remedy !== undefined);
  const details = [
    sentence,
    ...(silent.length > 0 ? [examples(`${silent.length} unreachable`, silent)] : []),
    ...(unwell.length > 0 ? [examples(`${unwell.length} unhealthy`, unwell)] : []),
    ...(usualUrl === undefined ? [] : [`kubelets respond at ${usualUrl}`]),
    ...(refused?.remedy === undefined ? [] : [refused.remedy]),
  ].join('; ');
  const first = refused?.detail ?? silent[0] ?? unwell[0] ?? '';
  const mend = mendOfKubelet(first, usualUrl, kubelet.urlTemplates);
  return named('kubelets', healthy === 0 ? wrong(details, mend) : warning(details, mend));
}

/** The remedy is the same for all kubelets, so it is printed once. */
function withoutRemedy({ detail, remedy }: KubeletAnswer): string {
  return remedy === undefined ? detail : detail.replace(`; ${remedy}`, '');
}

const CA = 'KUBE_REGISTER_KUBELET_CA_FILE=/path/of/the/kubelets/ca.pem';

/** The mend for the first kubelet that is not healthy. */
function mendOfKubelet(detail: string, usualUrl: string | undefined, templates: readonly string[]): string {
  if (usualUrl !== undefined) return `KUBE_REGISTER_HEALTHZ_URL=${[...templates, usualUrl].join(',')}`;
  if (/not signed by a CA in|is not a CA/.test(detail)) return CA;
  if (/its certificate/.test(detail)) return 'unset KUBE_REGISTER_KUBELET_CA_FILE';
  if (detail.includes('failed the TLS handshake')) {
    return `${CA} KUBE_REGISTER_KUBELET_CERT_FILE=/path/client.pem KUBE_REGISTER_KUBELET_KEY_FILE=/path/client.key`;
  }
  const url = /https?:\/\/\S+/.exec(detail)?.[0];
  if (/timed out|cannot be reached/.test(detail) && url !== undefined) return `curl --insecure --max-time 5 ${url}`;
  return 'fleetctl list-units | grep kubelet';
}
