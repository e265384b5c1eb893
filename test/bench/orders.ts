/** What the benchmark tells the lab and the floor, and what they reply. */
export type LabOrder =
  | { readonly kind: 'add machines'; readonly count: number }
  /** Machines whose kubelets share one listener: a process has fewer file descriptors than a large fleet has machines. */
  | { readonly kind: 'add machines of one listener'; readonly count: number }
  | { readonly kind: 'kubelets report ready' | 'all kubelets answer' | 'say when fleet is asked' }
  /** So many, evenly spread over the machines, accept every request and answer none. */
  | { readonly kind: 'kubelets hang'; readonly count: number }
  /** From when the order comes, however they answer. */
  | { readonly kind: 'say when kubelets were asked' | 'say when Kubernetes was asked'; readonly times: number }
  | { readonly kind: 'fleet pages take'; readonly ms: number };

/** Where the servers of the lab are. */
export interface Places {
  readonly fleet: string;
  readonly kubernetes: string;
  readonly kubeletPort: number;
  /** The port of the kubelets that share a listener. */
  readonly sharedPort: number;
}

export interface LabReply {
  /** In the first reply. */
  readonly places?: Places;
  /** When the thing was done, in ms since 1970. */
  readonly at: number;
  readonly problem?: string;
}
