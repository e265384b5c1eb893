/** Whatever a server sends back of the token, in whatever escaping: nothing that the program prints, serves or writes holds it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WORKER } from '../integration/in-lab.ts';
import { folderOfTest, GOOD_END, labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import { answerWith } from '../lab/faults.ts';
import type { Lab } from '../lab/lab.ts';

const TOKEN = 'eyJhbGciOiJub25lIn0.S3cret/token+with.all-kinds_of';

type Escaping = (text: string) => string;

const each =
  (write: (character: string) => string): Escaping =>
  (text) =>
    Array.from(text).map(write).join('');
const hex = (character: string, digits: number) => character.charCodeAt(0).toString(16).padStart(digits, '0');
const ESCAPINGS: Readonly<Record<string, Escaping>> = {
  'as it is': (text) => text,
  JSON: each((character) => `\\u${hex(character, 4)}`),
  'JSON in capitals': each((character) => `\\u${hex(character, 4).toUpperCase()}`),
  'JSON of slashes': (text) => text.replaceAll('/', '\\/'),
  percent: each((character) => `%${hex(character, 2)}`),
  'percent in capitals': each((character) => `%${hex(character, 2).toUpperCase()}`),
  'percent of what must be': encodeURIComponent,
  'percent twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  HTML: each((character) => `&#${character.charCodeAt(0)};`),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 behind other text': (text) => Buffer.from(`Bearer ${text}`).toString('base64url'),
  hexadecimal: (text) => Buffer.from(text).toString('hex'),
  'hexadecimal in capitals': (text) => Buffer.from(text).toString('hex').toUpperCase(),
};

/** Everything that a reader of this text may take for the token: each layer of escaping undone, one after the other. */
function readingsOf(text: string): readonly string[] {
  const readings = [text];
  for (let layer = 0; layer < 4; layer++) {
    const undone = (readings.at(-1) ?? '')
      .replace(/\\u00([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replace(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits)))
      .replace(/\\(["\\/])/g, '$1')
      .replaceAll('&amp;', '&');
    readings.push(undone);
  }
  return readings;
}

/** What base64 and hexadecimal make of the middle of the token, which no other text has. */
const MIDDLE = TOKEN.slice(9, 39);
const ENCODED = [
  Buffer.from(MIDDLE).toString('hex'),
  Buffer.from(MIDDLE).toString('base64'),
  // Behind `Bearer `, and the nine characters before the middle.
  Buffer.from(`a${MIDDLE}`).toString('base64url').slice(2, -2),
];

/** The names of the outputs that hold the token. */
function tellersIn(outputs: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(outputs).flatMap(([name, text]) => {
    const readings = readingsOf(text);
    const isTold = readings.some((reading) => reading.includes(TOKEN));
    const lower = text.toLowerCase();
    return isTold || ENCODED.some((form) => lower.includes(form.toLowerCase())) ? [name] : [];
  });
}

/** Has the API server send this back wherever it can, until it is lifted. */
function echo({ kubernetes }: Lab, echoed: string): () => void {
  const body = `{"kind":"Status","reason":"${echoed}","message":"no node for ${echoed}"}`;
  const refused = kubernetes.faults.add(answerWith(403, body, { Server: `proxy of ${echoed}` }), { method: 'POST' });
  kubernetes.putNode({
    name: 'echo',
    addresses: ['127.1.0.1', '127.1.0.2'],
    machineId: echoed,
    annotations: { 'kube-register.io/machine-id': echoed, 'kube-register.io/owner': echoed, note: echoed },
  });
  return refused;
}

/** All that the program says of what it saw: as a daemon, and as each of its commands. */
async function outputsOf(daemon: Program, lab: Lab, settings: Record<string, string>): Promise<Record<string, string>> {
  const pages = ['/', '/status', '/metrics', '/readyz'];
  const served = await Promise.all(pages.map(async (path) => [path, (await daemon.get(path)).body]));
  const said: [string, string][] = [];
  for (const command of [['check'], ['check', '-o', 'json'], ['plan'], ['status'], ['explain', 'echo']]) {
    const program = startProgram(settings, command);
    const { stderr } = await program.ended;
    said.push([command.join(' '), program.stdout + stderr]);
  }
  return {
    log: daemon.stdout,
    ...Object.fromEntries([...served, ...said]),
    events: JSON.stringify(lab.kubernetes.log.writes.map(({ path, body }) => [path, body])),
  };
}

async function scene() {
  const folder = await folderOfTest();
  await writeFile(join(folder, 'token'), TOKEN);
  const lab = await labOfTest({ kubernetes: { tokens: { [TOKEN]: 'all' } } });
  await lab.addMachines(3, WORKER);
  const settings = { ...settingsFor(lab), API_TOKEN_FILE: join(folder, 'token'), LOG_LEVEL: 'trace' };
  const daemon = startProgram(settings);
  await daemon.firstPass();
  return { lab, settings, daemon };
}

it('shows the token in no output, whatever the API server makes of it', async () => {
  const { lab, settings, daemon } = await scene();
  for (const [name, escaping] of Object.entries(ESCAPINGS)) {
    const lift = echo(lab, escaping(TOKEN));
    await lab.addMachine({ metadata: WORKER });
    await daemon.pass();
    lift();
    expect([name, tellersIn({ log: daemon.stdout, status: (await daemon.get('/status')).body })]).toEqual([name, []]);
  }
  const lift = echo(lab, ESCAPINGS['as it is']?.(TOKEN) ?? '');
  expect(tellersIn(await outputsOf(daemon, lab, settings))).toEqual([]);
  lift();
  expect(await daemon.stop()).toEqual(GOOD_END);
}, 120_000);

it('shows it in no output in several escapings at once, part by part', async () => {
  const { lab, settings, daemon } = await scene();
  const names = fc.constantFrom(...Object.keys(ESCAPINGS).filter((name) => !/base64|hexadecimal/.test(name)));
  const layers = fc.array(names, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(layers, fc.integer({ min: 0, max: TOKEN.length }), async (chosen, cut) => {
      const escaped = chosen.reduce((text, name) => ESCAPINGS[name]?.(text) ?? text, TOKEN.slice(0, cut));
      const lift = echo(lab, escaped + TOKEN.slice(cut));
      await daemon.pass();
      lift();
      expect(tellersIn({ log: daemon.stdout, status: (await daemon.get('/status')).body })).toEqual([]);
    }),
    { numRuns: 25 },
  );
  expect(tellersIn(await outputsOf(daemon, lab, settings))).toEqual([]);
  expect(await daemon.stop()).toEqual(GOOD_END);
}, 120_000);

it('would be seen to show it', () => {
  for (const [name, escaping] of Object.entries(ESCAPINGS)) {
    expect([name, tellersIn({ log: `the server said ${escaping(TOKEN)}` })]).toEqual([name, ['log']]);
  }
});
