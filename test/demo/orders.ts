/** What the story tells the lab, and what the lab replies. */
export type Order =
  | { readonly kind: 'join'; readonly role: 'kubernetes' | 'etcd' }
  | { readonly kind: 'kubelets report ready' | 'fleet forgets' | 'network breaks' | 'all is well again' }
  | { readonly kind: 'kubelet fails' | 'destroy'; readonly address: string };

export interface Reply {
  /** The address that the order was about. */
  readonly place: string | undefined;
  readonly problem?: string;
  /** In the first reply: where everything is. */
  readonly lab?: { readonly fleet: string; readonly kubernetes: string; readonly healthz: string };
}
