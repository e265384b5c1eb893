/** Exchanges with the real servers, as they were recorded. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const REQUEST = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
  /** Text as it was sent, or JSON. */
  body: z.unknown().optional(),
});

const RESPONSE = z.object({
  status: z.number(),
  headers: z
    .record(z.string(), z.string())
    .transform((headers) =>
      Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text])),
    ),
  body: z.string(),
});

/** Exchanges over a bare socket have no parsed request or response. */
const RECORDING = z.array(
  z.object({
    name: z.string(),
    request: REQUEST.optional().catch(undefined),
    response: RESPONSE.optional().catch(undefined),
  }),
);

export type RecordedRequest = z.output<typeof REQUEST>;
/** Header names in lower case. */
export type RecordedResponse = z.output<typeof RESPONSE>;
export type Exchange = z.output<typeof RECORDING>[number];

/** `name` is the path below test/recordings, such as `fleet/v1.0.0.json`. */
export function readRecording(name: string): Exchange[] {
  return RECORDING.parse(JSON.parse(readFileSync(new URL(`../recordings/${name}`, import.meta.url), 'utf8')));
}
