/** `npm run docs`: writes the generated parts of the documents. With `--check` it writes nothing, names what is stale and exits with 1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleProgram } from '../../deploy/binary/bundle.ts';
import { staleDocuments } from './documents.ts';
import { makeTranscripts } from './transcripts.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const stale = await staleDocuments(await transcripts());
for (const { path, url, text } of stale) {
  if (!values.check) writeFileSync(fileURLToPath(url), text);
  console.log(`${path}: ${values.check ? 'stale; npm run docs writes it' : 'written'}`);
}
if (stale.length === 0) console.log('all generated parts are up to date');
else if (values.check) process.exitCode = 1;

/** Bundles the program as it is now, for the transcripts. */
async function transcripts() {
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-docs-'));
  try {
    const program = join(folder, 'kube-register.mjs');
    await bundleProgram({ outfile: program });
    return await makeTranscripts(program);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
