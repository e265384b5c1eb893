/** The listing of nodes, page by page, until it is complete. */
import type { HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseLargeJson } from '../http/json.ts';
import { ACCEPT_JSON, ACCEPT_METADATA_LIST } from './accept.ts';
import type { NodeRecord } from './registry.ts';
import { refusal } from './status.ts';
import { unchangedRecord } from './unchanged-record.ts';
import type { Dialect } from './wire/dialect.ts';

/** Servers that cannot list metadata alone answer with whole nodes (v1.0.7, v1.9.2) or with 406 (v1.5.8). */
export type Detail = 'metadata' | 'whole';

const ACCEPT: Record<Detail, string> = { metadata: ACCEPT_METADATA_LIST, whole: ACCEPT_JSON };

/** The records of a list, by name. */
export type KnownRecords = ReadonlyMap<string, NodeRecord>;

/** Bounds all pages of a list together. A server without pages or partial metadata sends all of it at once. */
const MAX_BYTES = 128 * 1024 * 1024;
const PAGE_SIZE = 500;
/** Of pages that are full this would be 500,000 nodes. */
const MAX_PAGES = 1000;
/** How often a list is started again after the server has dropped its continue token. */
const MAX_RESTARTS = 2;

/**
 * Every node; records that repeat those of `before` are made of its parts. Throws RequestError when the listing is not complete or any
 * item of it cannot be read, with status 406 when the server refuses that detail. No resourceVersion is asked for: what the server then
 * answers may be old.
 */
export async function listNodes(
  http: HttpClient,
  dialect: Dialect,
  detail: Detail,
  before: KnownRecords,
  signal: AbortSignal,
): Promise<KnownRecords> {
  for (let restarts = 0; ; restarts++) {
    const outcome = await readPages(http, dialect, detail, before, signal);
    if ('records' in outcome) return outcome.records;
    if (restarts === MAX_RESTARTS) throw outcome.brokenOff;
  }
}

/** `brokenOff` holds the error for a listing that is worth another beginning. */
type Outcome = { records: Map<string, NodeRecord> } | { brokenOff: Error };

async function readPages(
  http: HttpClient,
  dialect: Dialect,
  detail: Detail,
  before: KnownRecords,
  signal: AbortSignal,
): Promise<Outcome> {
  /** By name: a node that was created again between two pages is on both. The later one counts. */
  const records = new Map<string, NodeRecord>();
  const tokens = new Set<string>();
  let kind: string | undefined;
  let token: string | undefined;
  let bytesLeft = MAX_BYTES;

  for (let page = 1; ; page++) {
    const request: HttpRequest = {
      method: 'GET',
      path: dialect.path,
      query: pageQuery(dialect, token),
      headers: { Accept: ACCEPT[detail] },
      maxBytes: bytesLeft,
      signal,
    };
    const answer = await http.send(request);
    if (answer.status === 410 && page > 1) return { brokenOff: refusal(http, request, answer, 'list') };
    if (answer.status !== 200) throw refusal(http, request, answer, 'list');

    const found = await parseLargeJson(http, request, answer, dialect.page);
    if (detail === 'whole' && found.kind === 'PartialObjectMetadataList') {
      throw http.failure(request, `requested a NodeList, received a ${found.kind}`, answer);
    }
    if (found.kind !== (kind ?? found.kind)) {
      return {
        brokenOff: http.failure(request, `page ${page} is a ${found.kind}, the earlier pages are a ${kind}`, answer),
      };
    }
    kind = found.kind;
    for (const record of found.nodes) {
      const known = unchangedRecord(before.get(record.name), record);
      records.set(known.name, known);
    }

    token = found.continue;
    if (token === '') return { records };
    if (tokens.has(token)) throw http.failure(request, `page ${page} repeats the token of an earlier page`, answer);
    tokens.add(token);
    bytesLeft -= answer.bytes;
    if (bytesLeft <= 0) throw http.failure(request, `the list of nodes is larger than ${MAX_BYTES} bytes`, answer);
    if (page === MAX_PAGES) throw http.failure(request, `the list of nodes has more than ${MAX_PAGES} pages`, answer);
  }
}

function pageQuery({ hasPartialLists }: Dialect, token: string | undefined): Record<string, string> {
  if (!hasPartialLists) return {};
  return { limit: String(PAGE_SIZE), ...(token !== undefined && { continue: token }) };
}
