import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { commandRow } from '../../../../src/commands/cli/commands.ts';
import { manifestNames, manifestsText } from '../../../../src/commands/cli/manifests.ts';

const file = (name: string) => readFileSync(new URL(`../../../../deploy/${name}.yaml`, import.meta.url), 'utf8');
const kinds = (text: string) => parseAllDocuments(text).map((document) => document.toJS().kind);

describe('manifests', () => {
  it.each(manifestNames)('%s is the file in deploy/', async (name) => {
    expect(`${await manifestsText([name])}\n`).toBe(file(name));
  });

  it('of several names are one stream of documents', async () => {
    const both = await manifestsText(['rbac', 'pod']);
    expect(kinds(both)).toEqual([...kinds(file('rbac')), ...kinds(file('pod'))]);
  });

  it('without a name are listed, each with what it is for; help has the names too', async () => {
    const list = (await manifestsText([])).split('\n');
    expect(list.map((line) => line.split(' ')[0])).toEqual(manifestNames);
    for (const name of manifestNames) expect(commandRow('manifests').about).toContain(name);
  });
});
