/** One way in which kubeconfig files and servers differ, for kubectl and for this program. */
import type { Bench } from './kubectl-lab.ts';

type Content = string | Buffer | object;

/** A kubeconfig and the servers that it leads to. */
export interface Variant {
  readonly name: string;
  /** The content of the kubeconfig; an object is written as YAML. */
  make(bench: Bench): Content | Promise<Content>;
  /** What kubectl is asked to do, where it is not the default. */
  readonly command?: string;
  /** Settings of this program beside the kubeconfig, without their prefix. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Why it works for one of the two alone. */
  readonly differs?: string;
  /** What this program says where it fails. */
  readonly says?: RegExp;
}

/** The text as the `-data` fields have it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
