/** The Events that a Kubernetes keeps about its nodes, in v1: taken, kept and told as v1.20 does. Of older releases none were recorded. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, goJson } from './answer.ts';
import type { Received } from './request-log.ts';
import * as refuse from './status.ts';

const EVENT = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().default('default') }),
  involvedObject: z.object({
    kind: z.string(),
    name: z.string(),
    uid: z.string().optional(),
    apiVersion: z.string().optional(),
  }),
  reason: z.string().optional(),
  message: z.string().optional(),
  source: z.object({ component: z.string().optional() }).default({}),
  firstTimestamp: z.string().nullable().default(null),
  lastTimestamp: z.string().nullable().default(null),
  count: z.number().optional(),
  type: z.string().optional(),
});
type Event = z.infer<typeof EVENT>;

/** Where they are asked for. */
export const EVENTS_PATH = /^\/api\/v1\/namespaces\/default\/events\/?$/;

export class EventStore {
  readonly #events = new Map<string, Event>();

  /** In the order in which they came. */
  get all(): readonly Event[] {
    return [...this.#events.values()];
  }

  /** Only to create them is known here. Throws a Refusal. */
  answer({ method, body }: Received): Answer {
    if (method !== 'POST') throw refuse.methodNotAllowed();
    const event = EVENT.parse(JSON.parse(body));
    const { metadata, ...rest } = event;
    if (this.#events.has(metadata.name)) throw refuse.eventExists(metadata.name);
    this.#events.set(metadata.name, event);
    const made = { uid: randomUUID(), resourceVersion: String(this.#events.size) };
    const filledIn = { eventTime: null, reportingComponent: '', reportingInstance: '' };
    const told = { kind: 'Event', apiVersion: 'v1', metadata: { ...metadata, ...made }, ...rest, ...filledIn };
    return { status: 201, headers: { 'Content-Type': 'application/json' }, body: `${goJson(told)}\n` };
  }
}
