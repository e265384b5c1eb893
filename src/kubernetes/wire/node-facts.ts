/** Reads the status of a node in all API versions. An unknown shape makes it unreadable, never empty. */
import * as z from 'zod';
import { usableAddress } from '../../network/address.ts';
import type { Leaving, NodeFacts, ReadyCondition } from '../registry.ts';
import { text } from './fields.ts';

/** What v1beta1 and v1beta2 call a condition's `kind` is its `type` later. */
type ConditionName = 'type' | 'kind';

interface Status {
  readonly addresses: readonly string[];
  readonly ready: ReadyCondition;
  readonly machineId: string;
  /** Of the condition Ready where it is Unknown; empty where there is none. */
  readonly heardAt: string;
}

/** `status` is read by `statusSchema`; `unschedulable` is spec.unschedulable, unparsed. `more` are addresses from outside the status. */
export function factsOf(
  { addresses, ready, machineId, heardAt }: Status,
  unschedulable: unknown,
  more: { readonly before?: readonly string[]; readonly after?: readonly string[] } = {},
): NodeFacts {
  const said = [...(more.before ?? []), ...addresses, ...(more.after ?? [])];
  const usable = said.map(usableAddress).filter((address) => address !== undefined);
  const facts = { machineId, addresses: [...new Set(usable)], ready, unschedulable: cordonedBy(unschedulable) };
  return heardAt === '' ? facts : { ...facts, heardAt };
}

function cordonedBy(unschedulable: unknown): boolean | undefined {
  return typeof unschedulable === 'boolean' ? unschedulable : isAbsent(unschedulable) ? false : undefined;
}

/** Takes anything, and keeps the good part of what has a shape that is not known. */
export function statusSchema(name: ConditionName): z.ZodType<Status> {
  const condition = z.looseObject({ [name]: z.string(), status: z.unknown().optional() });
  const known = z
    .object({
      addresses: z.array(z.object({ address: z.string() })).nullish(),
      conditions: z.array(condition).nullish(),
      nodeInfo: z.object({ machineID: z.string().nullish() }).nullish(),
    })
    .nullish()
    .transform((status) => {
      const readies = status?.conditions?.filter((each) => each[name] === 'Ready') ?? [];
      const ready = readyOf(readies.map((each) => each['status']));
      return {
        addresses: addressesOf(status?.addresses),
        ready,
        machineId: status?.nodeInfo?.machineID ?? '',
        heardAt: ready === 'unknown' ? text.parse(readies[0]?.['lastHeartbeatTime']) : '',
      };
    });
  const unknown = z
    .object({
      addresses: z.array(z.object({ address: text }).catch({ address: '' })).catch([]),
      nodeInfo: z.object({ machineID: text }).catch({ machineID: '' }),
    })
    .catch({ addresses: [], nodeInfo: { machineID: '' } })
    .transform(({ addresses, nodeInfo }) => ({
      addresses: addressesOf(addresses),
      ready: 'unreadable' as const,
      machineId: nodeInfo.machineID,
      heardAt: '',
    }));
  return z.union([known, unknown]);
}

function addressesOf(addresses: readonly { readonly address: string }[] | null | undefined): readonly string[] {
  return addresses?.map(({ address }) => address) ?? [];
}

/** v1beta1 and v1beta2 write Full and None, also of nodes that a controller of today's words has written. */
const READY_WORDS: ReadonlyMap<unknown, ReadyCondition> = new Map([
  ['True', 'true'],
  ['Full', 'true'],
  ['False', 'false'],
  ['Unknown', 'unknown'],
  ['None', 'unknown'],
]);

function readyOf(words: readonly unknown[]): ReadyCondition {
  const [ready = 'none', ...others] = new Set(words.map((word) => READY_WORDS.get(word) ?? 'unreadable'));
  return others.length > 0 ? 'unreadable' : ready;
}

/** Any value of deletionTimestamp means that the node was deleted. */
export function leavingOf({
  deletionTimestamp,
  finalizers,
}: {
  readonly deletionTimestamp?: unknown;
  readonly finalizers?: unknown;
}): Leaving | undefined {
  if (isAbsent(deletionTimestamp)) return undefined;
  const since = typeof deletionTimestamp === 'string' ? deletionTimestamp : '';
  return { since, finalizers: finalizerNames.parse(finalizers) };
}

const finalizerNames = z.array(z.string()).catch([]);

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
