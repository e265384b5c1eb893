/** Which API server answers: its version, and the newest API version that both sides speak. */
import * as z from 'zod';
import type { HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseJson } from '../http/json.ts';
import { ACCEPT_JSON } from './accept.ts';
import { API_VERSIONS, type ApiVersion, type Server } from './era.ts';
import { refusal } from './status.ts';

const versionInfo = z.object({ gitVersion: z.string().min(1) });
const apiVersions = z.object({ versions: z.array(z.string()) });
const MAX_BYTES = 1024 * 1024;
const headers = { Accept: ACCEPT_JSON };

/** Asks /version, and /api unless the API version is set. Throws RequestError when the server does not answer, or not as one. */
export async function identify(http: HttpClient, wanted: ApiVersion | 'auto', signal: AbortSignal): Promise<Server> {
  // One after the other, so that a server that is down is said to be so in the same words every time.
  const version = await askVersion(http, signal);
  return { version, apiVersion: wanted === 'auto' ? await newestApiVersion(http, signal) : wanted };
}

/** Undefined where it may not be known: the age of the API version then has to do. */
export async function askVersion(http: HttpClient, signal: AbortSignal): Promise<string | undefined> {
  const request: HttpRequest = { method: 'GET', path: '/version', headers, maxBytes: MAX_BYTES, signal };
  const answer = await http.send(request);
  if (isWithheld(answer.status) || answer.status === 404) return undefined;
  if (answer.status !== 200) throw refusal(http, request, answer, 'get');
  return parseJson(http, request, answer, versionInfo).gitVersion;
}

async function newestApiVersion(http: HttpClient, signal: AbortSignal): Promise<ApiVersion> {
  const request: HttpRequest = { method: 'GET', path: '/api', headers, maxBytes: MAX_BYTES, signal };
  const answer = await http.send(request);
  // v0.2 and v0.4.4 have no such list, and v1beta1.
  if (answer.status === 404) return 'v1beta1';
  // Whoever may not see the list meets a server with authorization (v0.19 and later at the least).
  if (isWithheld(answer.status)) return 'v1';
  if (answer.status !== 200) throw refusal(http, request, answer, 'get');
  const { versions } = parseJson(http, request, answer, apiVersions);
  const newest = API_VERSIONS.find((each) => versions.includes(each));
  if (newest !== undefined) return newest;
  const served = versions.length > 0 ? versions.join(', ') : 'none';
  throw http.failure(
    request,
    `the server has none of the API versions ${API_VERSIONS.join(', ')}; it has ${served}`,
    answer,
  );
}

function isWithheld(status: number): boolean {
  return status === 401 || status === 403;
}
