/** The kubelets that hang: old API servers check them without a time limit, so that one of them holds up their answers. */
import type { KubeletAnswer } from '../../kubelet/kubelet.ts';

/** The addresses of the kubelets that gave no reply in time, sorted. One that refuses connections holds nothing up. */
export function hungKubelets(kubelets: ReadonlyMap<string, KubeletAnswer>): readonly string[] {
  const hung: string[] = [];
  for (const [address, { timedOut }] of kubelets) if (timedOut === true) hung.push(address);
  return hung.sort();
}

/** `check the kubelets that do not reply: 10.0.0.1, 10.0.0.2` */
export function describeHung(addresses: readonly string[]): string {
  return addresses.length > 0
    ? `check the kubelets that do not reply: ${addresses.join(', ')}`
    : 'all kubelets that fleet lists reply; check those of other minions';
}
