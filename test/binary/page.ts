/** The status page as a form of the program has it: with everything that it needs beside it. */
import { expect } from 'vitest';
import { ASSET_FILES } from '../../src/web/page/asset-files.ts';
import type { Program } from '../integration/program.ts';

export async function expectPage(program: Program): Promise<void> {
  await program.firstPass();
  const { status, body } = await program.get('/');
  expect([status, body]).toEqual([200, expect.stringContaining('No machine matches role=kubernetes')]);
  const assets = [...body.matchAll(/(?:src|href)="([^"]*\.\w+)"/g)].map(([, path = '']) => path);
  expect(assets.sort()).toEqual(Object.keys(ASSET_FILES).sort());
  for (const [path, source] of Object.entries(ASSET_FILES)) {
    expect(await program.get(`/${path}`)).toEqual({ status: 200, body: source });
  }
}
