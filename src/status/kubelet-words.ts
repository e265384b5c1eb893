/** The states of a kubelet in the words of the documentation. */
import type { NodeStatus } from './document.ts';

export const KUBELET_WORDS: Readonly<Record<NonNullable<NodeStatus['evidence']>['kubelet'], string>> = {
  healthy: 'healthy',
  answers: 'unhealthy',
  silent: 'unreachable',
  unasked: 'not asked',
};
