/** Events, the notes on a node that kubectl shows: what one says, and how the API server is given it (v1). */
import * as z from 'zod';
import type { HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseJson } from '../http/json.ts';
import { onOneLine } from '../text/quote.ts';
import { readStatus, refusal } from './status.ts';

/** What happened to a node, in one word and in one sentence. */
export interface NodeEvent {
  readonly reason: 'Registered' | 'Adopted' | 'Deregistered' | 'DeregistrationHeld';
  /** The name of the node; of the first one where the message names several. */
  readonly node: string;
  readonly message: string;
  /** Wall ms. */
  readonly at: number;
  /** The number of nodes where the message names several; 1 where it is left out. */
  readonly count?: number;
}

export interface EventLog {
  /** Writes one Event, and asks only once. Throws RequestError when the server did not take it, or the signal's reason. */
  write(event: NodeEvent, signal: AbortSignal): Promise<void>;
}

/** Nodes are in no namespace; the Events about them are kept in this one. */
const PATH = '/api/v1/namespaces/default/events';
/** What the API server takes as the name of an object. */
const LONGEST_NAME = 253;
/** What events.k8s.io, the same objects in another form, takes as a note. */
export const LONGEST_MESSAGE = 1_024;
const MAX_EVENT_BYTES = 64 * 1024;

/** A node that goes, or would go, is worth a look; `kubectl get events --field-selector type=Warning` finds it. */
const TYPES = {
  Registered: 'Normal',
  Adopted: 'Normal',
  Deregistered: 'Warning',
  DeregistrationHeld: 'Warning',
} as const satisfies Record<NodeEvent['reason'], string>;

const apiObject = z.object({ kind: z.enum(['Event', 'Status']) });

/** `unique` gives lower-case hex digits that it never gives again, nor does another copy of the daemon. */
export function createEventLog(http: HttpClient, unique: () => string): EventLog {
  return {
    async write(event, signal) {
      const body = { contentType: 'application/json', value: toWire(event, unique()) };
      const request: HttpRequest = { method: 'POST', path: PATH, body, maxBytes: MAX_EVENT_BYTES, signal };
      const answer = await http.send(request);
      // The name is ours alone: what exists under it was written by this request, sent again on its way.
      if (answer.status === 409 && readStatus(answer).reason === 'AlreadyExists') return;
      if (![200, 201, 202].includes(answer.status)) throw refusal(http, request, answer, 'create', 'events');
      parseJson(http, request, answer, apiObject);
    },
  };
}

function toWire({ reason, node, message, at, count = 1 }: NodeEvent, suffix: string): unknown {
  // To the second, as the server keeps it.
  const time = `${new Date(at).toISOString().slice(0, 19)}Z`;
  return {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: `${node.slice(0, LONGEST_NAME - 1 - suffix.length)}.${suffix}`, namespace: 'default' },
    // The name stands for the uid, as in the kubelet's own Events: kubectl v1.20 describes a node with no others.
    involvedObject: { kind: 'Node', apiVersion: 'v1', name: node, uid: node },
    reason,
    message: onOneLine(message, LONGEST_MESSAGE),
    type: TYPES[reason],
    source: { component: 'kube-register' },
    firstTimestamp: time,
    lastTimestamp: time,
    count,
  };
}
