/** The status page as a form of the program has it: with everything that it needs beside it. */
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Program } from '../integration/program.ts';

export async function expectPage(program: Program): Promise<void> {
  await program.firstPass();
  const { status, body } = await program.get('/');
  expect([status, body]).toEqual([200, expect.stringContaining('No machine matches role=kubernetes')]);
  const assets = [...body.matchAll(/(?:src|href)="([^"]*\.\w+)"/g)].map(([, path = '']) => path);
  expect(assets).toHaveLength(3);
  for (const path of assets) {
    const source = await readFile(new URL(`../../src/web/page/${path}`, import.meta.url), 'utf8');
    expect(await program.get(`/${path}`)).toEqual({ status: 200, body: source });
  }
}
