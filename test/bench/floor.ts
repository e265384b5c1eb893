/**
 * The floor of a pass: the same fleet pages, node list and probes by the barest node:http code, without a retry, a timeout or
 * a thought. It imports nothing of the program, and does what it is told over the IPC channel.
 */
import { Agent, get } from 'node:http';

/** `listing` is fleet's pages alone. */
export type FloorOrder = 'pass' | 'listing';

export interface FloorReply {
  readonly ms: number;
  /** Kubelets that answered. */
  readonly answers: number;
}

const [fleet = '', kubernetes = '', kubeletPort = '', concurrency = ''] = process.argv.slice(2);
const NODES = '/api/v1/nodes?limit=500';
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const kept = new Agent({ keepAlive: true });

const queue: (() => void)[] = [];
let free = Number(concurrency);
let answers = 0;

process.on('message', async (order: FloorOrder) => {
  const began = performance.now();
  answers = 0;
  if (order === 'listing') await listMachines(() => {});
  else await pass();
  reply({ ms: performance.now() - began, answers });
});
process.on('disconnect', () => process.exit(0));
reply({ ms: 0, answers });

function reply(message: FloorReply): void {
  process.send?.(message);
}

async function pass(): Promise<void> {
  const asked: Promise<void>[] = [];
  await Promise.all([listMachines((address) => asked.push(probe(address))), listNodes()]);
  await Promise.all(asked);
}

async function listMachines(onAddress: (address: string) => void): Promise<void> {
  let query = '';
  do {
    const page = JSON.parse(await read(`${fleet}/fleet/v1/machines${query}`));
    for (const { primaryIP } of page.machines ?? []) onAddress(primaryIP);
    query = page.nextPageToken ? `?nextPageToken=${page.nextPageToken}` : '';
  } while (query !== '');
}

async function listNodes(): Promise<void> {
  let token = '';
  do {
    const page = JSON.parse(await read(`${kubernetes}${NODES}${token && `&continue=${token}`}`));
    token = page.metadata.continue ?? '';
  } while (token !== '');
}

function read(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: kept, headers: { Accept: METADATA_ONLY } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

/** Over a connection of its own, closed once the status is known. */
async function probe(host: string): Promise<void> {
  if (free === 0) await new Promise<void>((turn) => queue.push(turn));
  else free -= 1;
  await new Promise<void>((resolve) => {
    const request = get({ host, port: kubeletPort, path: '/healthz', agent: false }, () => {
      answers += 1;
      request.destroy();
      resolve();
    });
    request.on('error', () => resolve());
  });
  const next = queue.shift();
  if (next === undefined) free += 1;
  else next();
}
