import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Host, OutputError, Terminal } from '../../../../src/commands/terminal/terminal.ts';

/** A process whose standard output keeps what is written, or fails. */
function hostOf({ isTTY, env = {}, problem }: { isTTY: boolean; env?: Record<string, string>; problem?: string }) {
  let written = '';
  const stream = new Writable({
    write(chunk, _, done) {
      written += String(chunk);
      done(problem === undefined ? null : Object.assign(new Error('no'), { code: problem }));
    },
  });
  const output = Object.assign(stream, { isTTY });
  return { host: { stdout: output, stderr: output, env } satisfies Host, written: () => written };
}

const ESCAPE = '\u001b';

describe('the terminal', () => {
  it('has colours for people', () => {
    const { host } = hostOf({ isTTY: true });
    expect(new Terminal(host).paint({ text: 'held', style: 'trouble' })).toBe(`${ESCAPE}[31mheld${ESCAPE}[39m`);
  });

  it.each([
    ['a pipe or a file', { isTTY: false }],
    ['who does not want any', { isTTY: true, env: { NO_COLOR: '1' } }],
  ])('has none for %s', (_, options) => {
    expect(new Terminal(hostOf(options).host).paint({ text: 'held', style: 'trouble' })).toBe('held');
  });

  it('has them with an empty NO_COLOR, as no-color.org wants it', () => {
    const { host } = hostOf({ isTTY: true, env: { NO_COLOR: '' } });
    expect(new Terminal(host).paint({ text: 'keep', style: 'well' })).toContain(ESCAPE);
  });

  it('says what is wrong when its output takes nothing', async () => {
    const { host } = hostOf({ isTTY: false, problem: 'ENOSPC' });
    await expect(new Terminal(host).print('x')).rejects.toThrow(
      new OutputError(Object.assign(new Error('no'), { code: 'ENOSPC' })),
    );
  });

  it('takes a reader that has seen enough for no error', async () => {
    const terminal = new Terminal(hostOf({ isTTY: false, problem: 'EPIPE' }).host);
    expect(terminal.hasReader).toBe(true);
    await terminal.print('x');
    expect(terminal.hasReader).toBe(false);
  });

  it('says on a terminal how long a work has been going on, and wipes it away', async () => {
    const { host, written } = hostOf({ isTTY: true });
    let finish = (_: string) => {};
    const work = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const result = new Terminal(host).whileAtWork('looking', work);
    await expect.poll(written, { timeout: 15_000 }).toBe('\rlooking ... 1 s');
    finish('seen');
    expect(await result).toBe('seen');
    expect(written().endsWith(`\r${ESCAPE}[K`)).toBe(true);
  });

  it('says nothing of that to a file', async () => {
    const { host, written } = hostOf({ isTTY: false });
    expect(await new Terminal(host).whileAtWork('looking', Promise.resolve('seen'))).toBe('seen');
    expect(written()).toBe('');
  });
});
