/** The check of the kubelets: which answer, on which URL, and where those that do not might be found. */

import { openKubelets } from '../../../daemon/clients.ts';
import { parseHealthUrl } from '../../../kubelet/health-url.ts';
import type { KubeletAnswer, KubeletProber } from '../../../kubelet/kubelet.ts';
import { createKubeletProber } from '../../../kubelet/prober.ts';
import type { Candidate } from '../../../reconcile/evidence/machines.ts';
import type { Settings } from '../../../settings/settings.ts';
import { rowOf } from '../../../settings/table.ts';
import { plural } from '../../../text/plural.ts';
import { examples, type Finding, named, ok, warning, wrong } from '../finding.ts';
import { type Failure, failureOf, MORE_FILES, mendOf } from '../mends.ts';

export interface KubeletLook {
  /** By address: every candidate's kubelet. */
  readonly answers: ReadonlyMap<string, KubeletAnswer>;
  /** A usual URL at which kubelets answer that are silent at those that are set. */
  readonly elsewhere: string | undefined;
  /** For the pass: nobody is asked twice. */
  readonly prober: KubeletProber;
}

/** Why kubelets could not be asked: a file of credentials, or something that this machine lacks. */
export type KubeletTrouble = { readonly failure: Failure } | { readonly problem: string };

const SILENT = { healthCheckDone: () => {} };
/** So many silent kubelets are asked at the usual URLs too. */
const ASKED_ELSEWHERE = 20;

/** Throws the signal's reason alone. */
export async function lookAtKubelets(
  settings: Settings,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<KubeletLook | KubeletTrouble> {
  let prober: KubeletProber;
  try {
    prober = remembering(await openKubelets(settings, SILENT));
  } catch (error) {
    return { failure: failureOf(error) };
  }
  try {
    const answers = new Map<string, KubeletAnswer>();
    await Promise.all(
      candidates.map(async ({ address }) => void answers.set(address, await prober.check(address, signal))),
    );
    const silent = [...answers].filter(([, { state }]) => state === 'silent').map(([address]) => address);
    return { answers, elsewhere: await findElsewhere(settings, silent, signal), prober };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Gives the answer that it gave before. */
function remembering(prober: KubeletProber): KubeletProber {
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

async function findElsewhere(
  { kubelet: { urlTemplates, timeoutMs } }: Settings,
  silent: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const usual = (rowOf('HEALTHZ_URL').default ?? '').split(',').filter((template) => !urlTemplates.includes(template));
  if (usual.length === 0 || silent.length === 0) return undefined;
  const prober = createKubeletProber({
    urlTemplates: usual,
    timeoutMs,
    concurrency: ASKED_ELSEWHERE,
    tls: {},
    observer: SILENT,
  });
  const asked = silent.slice(0, ASKED_ELSEWHERE);
  const answers = await Promise.all(
    asked.map(async (address) => [address, await prober.check(address, signal)] as const),
  );
  return countByUrl(new Map(answers), usual)[0]?.template;
}

interface Count {
  readonly template: string;
  readonly count: number;
}

/** How many kubelets answered well on each URL; the most first. */
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

export function checkKubelets(look: KubeletLook | KubeletTrouble, { kubelet }: Settings): Finding {
  if ('failure' in look) return named('kubelets', wrong(look.failure.message, mendOf(look.failure)));
  if ('problem' in look) return named('kubelets', wrong(look.problem, MORE_FILES));
  const { answers, elsewhere } = look;
  const all = [...answers.values()];
  const healthy = all.filter(({ state }) => state === 'healthy').length;
  const urls = countByUrl(answers, kubelet.urlTemplates).map(({ template, count }) => `${count} at ${template}`);
  const where = urls.length > 0 ? ` (${urls.join(', ')})` : '';
  const sentence = `${healthy} of ${plural(all.length, 'kubelet')} are healthy${where}`;
  if (healthy === all.length) return named('kubelets', ok(sentence));

  const silent = all.filter(({ state }) => state === 'silent').map(({ detail }) => detail);
  const unwell = all.filter(({ state }) => state === 'answers').map(withoutRemedy);
  const refused = all.find(({ remedy }) => remedy !== undefined);
  const told = [
    sentence,
    ...(silent.length > 0 ? [examples(`${silent.length} unreachable`, silent)] : []),
    ...(unwell.length > 0 ? [examples(`${unwell.length} unhealthy`, unwell)] : []),
    ...(elsewhere === undefined ? [] : [`there is an answer at ${elsewhere}`]),
    ...(refused?.remedy === undefined ? [] : [refused.remedy]),
  ].join('; ');
  const first = refused?.detail ?? silent[0] ?? unwell[0] ?? '';
  const mend = mendOfSilence(first, elsewhere, kubelet.urlTemplates);
  return named('kubelets', healthy === 0 ? wrong(told, mend) : warning(told, mend));
}

/** One remedy does for all, so it is told once. */
function withoutRemedy({ detail, remedy }: KubeletAnswer): string {
  return remedy === undefined ? detail : detail.replace(`; ${remedy}`, '');
}

const CA = 'KUBE_REGISTER_KUBELET_CA_FILE=/path/of/the/kubelets/ca.pem';

/** By what came of the first of them. */
function mendOfSilence(detail: string, elsewhere: string | undefined, templates: readonly string[]): string {
  if (elsewhere !== undefined) return `KUBE_REGISTER_HEALTHZ_URL=${[...templates, elsewhere].join(',')}`;
  if (/not signed by a CA in|is not a CA/.test(detail)) return CA;
  if (/its certificate/.test(detail)) return 'unset KUBE_REGISTER_KUBELET_CA_FILE';
  if (detail.includes('failed the TLS handshake')) {
    return `${CA} KUBE_REGISTER_KUBELET_CERT_FILE=/path/client.pem KUBE_REGISTER_KUBELET_KEY_FILE=/path/client.key`;
  }
  const url = /https?:\/\/\S+/.exec(detail)?.[0];
  if (/timed out|cannot be reached/.test(detail) && url !== undefined) return `curl --insecure --max-time 5 ${url}`;
  return 'fleetctl list-units | grep kubelet';
}
