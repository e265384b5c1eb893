import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FreshResolver } from '../../../src/network/resolver.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resolver-'));
  path = join(folder, 'resolv.conf');
});

afterEach(async () => rm(folder, { recursive: true }));

/** Answers each lookup with the number of the resolver that was asked. */
function numbered() {
  const made: { cancelled: number }[] = [];
  const answers: (() => void)[] = [];
  const resolver = new FreshResolver(path, () => {
    const state = { cancelled: 0 };
    const number = made.push(state);
    return {
      resolvePtr: async (name: string) => {
        if (name === 'slow') await new Promise<void>((resolve) => answers.push(resolve));
        return [`${name} of ${number}`];
      },
      cancel: () => {
        state.cancelled += 1;
      },
    };
  });
  return { resolver, made, answers };
}

it('asks one resolver as long as the file stays as it is', async () => {
  await writeFile(path, 'nameserver 10.0.0.1\n');
  const { resolver, made } = numbered();
  expect(await resolver.resolvePtr('a')).toEqual(['a of 1']);
  expect(await resolver.resolvePtr('b')).toEqual(['b of 1']);
  expect(made).toHaveLength(1);
});

it('asks a new one when the file is written to, replaced, taken away and there again', async () => {
  await writeFile(path, 'nameserver 10.0.0.1\n');
  const { resolver } = numbered();
  const changes = [
    () => writeFile(path, 'nameserver 10.0.0.22\n'),
    async () => {
      await writeFile(`${path}.new`, 'nameserver 10.0.0.33\n');
      await rename(`${path}.new`, path);
    },
    () => rm(path),
    () => writeFile(path, 'nameserver 10.0.0.44\n'),
  ];
  const answers = [await resolver.resolvePtr('a')];
  for (const change of changes) {
    await change();
    answers.push(await resolver.resolvePtr('a'));
  }
  expect(answers.flat()).toEqual(['a of 1', 'a of 2', 'a of 3', 'a of 4', 'a of 5']);
});

it('asks many at a time of one', async () => {
  const { resolver, made } = numbered();
  await Promise.all(Array.from({ length: 50 }, () => resolver.resolvePtr('a')));
  expect(made).toHaveLength(1);
});

it('lets lookups end that began before, and cancels all when it is closed', async () => {
  await writeFile(path, 'nameserver 10.0.0.1\n');
  const { resolver, made, answers } = numbered();
  const slow = resolver.resolvePtr('slow');
  while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await writeFile(path, 'nameserver 10.0.0.22\n');
  expect(await resolver.resolvePtr('a')).toEqual(['a of 2']);
  resolver.close();
  expect(made.map(({ cancelled }) => cancelled)).toEqual([1, 1]);
  answers[0]?.();
  expect(await slow).toEqual(['slow of 1']);
});
