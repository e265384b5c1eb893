/** The commands of the documents, run by a shell beside a daemon in the lab, print what the documents show. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { operatorPages, staleDocuments } from '../docs/documents.ts';
import { makeTranscripts } from '../docs/transcripts.ts';
import { folderOfTest, labOfTest, MAIN, settingsFor, startProgram } from './program.ts';

const MARK = 'run by test/integration/docs.test.ts';

/** The lines of the blocks that say that this test runs them, each with its page. */
const LINES = operatorPages().flatMap(({ path, text }) =>
  [...text.matchAll(new RegExp(`^<!-- ${MARK} -->\\n\`\`\`sh\\n(.*?)^\`\`\`$`, 'gms'))].flatMap(([, block = '']) =>
    block
      .trim()
      .split('\n')
      .map((line) => ({ path, line: line.replace(/ +#.*$/, '') })),
  ),
);

it('prints what the documents show; npm run docs writes it', { timeout: 120_000 }, async () => {
  const stale = await staleDocuments(await makeTranscripts(MAIN));
  expect(stale.map(({ path }) => path)).toEqual([]);
});

it('takes each command that a page says is run', { timeout: 120_000 }, async () => {
  const lab = await labOfTest();
  const [machine] = await lab.addMachines(2, { role: 'kubernetes' });
  const daemon = startProgram(settingsFor(lab));
  await daemon.firstPass();
  const folder = await folderOfTest();
  await writeFile(join(folder, 'kube-register'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, { mode: 0o755 });
  const variables = { ...settingsFor(lab), LISTEN: (await daemon.url()).replace('http://', '') };
  const env = {
    PATH: `${folder}:/usr/bin:/bin`,
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [`KUBE_REGISTER_${name}`, value])),
  };
  expect(LINES.length).toBeGreaterThan(4);
  for (const { path, line } of LINES) {
    const typed = line
      .replaceAll('http://127.0.0.1:8080', lab.kubernetes.url)
      .replaceAll(/\b(NAME|MACHINE|NODE)\b/g, machine?.address ?? '');
    const { code, stderr } = await inShell(typed, env);
    expect({ path, line, code, stderr }).toEqual({ path, line, code: 0, stderr: '' });
  }
});

/** What a shell makes of a line. */
function inShell(line: string, env: Record<string, string>): Promise<{ code: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', line], { env }, (error, _, stderr) => resolve({ code: error?.code ?? 0, stderr }));
  });
}
