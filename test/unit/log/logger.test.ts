import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Logger } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger, type LoggerOptions } from '../../../src/log/logger.ts';
import { stalledPipe } from '../../lab/stalled-pipe.ts';

const ESC = '\u001b';
const C1_CSI = '\u009b';
const RIGHT_TO_LEFT = '\u202e';

/** What is written on one line or more, by a logger of that kind. */
async function written(
  options: Partial<Omit<LoggerOptions, 'destination'>> & { readonly isTTY?: boolean },
  log: (logger: Logger) => void,
): Promise<string> {
  const { isTTY = false, ...others } = options;
  let output = '';
  const destination = {
    isTTY,
    write: (line: string) => {
      output += line;
    },
  };
  log(await createLogger({ level: 'info', format: 'json', ...others, destination }));
  return output;
}

const json = async (log: (logger: Logger) => void, level: LoggerOptions['level'] = 'info') =>
  JSON.parse(await written({ level }, log));

/** An error with all that an HTTP library hangs on it. */
function foreignError(): Error {
  const inner = new TypeError('inner');
  return Object.assign(new RangeError('outer', { cause: inner }), {
    code: 'ERR_BAD',
    config: { headers: { Authorization: 'Bearer abc' } },
    toJSON: () => ({ config: 'everything' }),
  });
}

describe('a JSON line', () => {
  it('has the level as a word, the time, the fields and the message, and nothing of the process', async () => {
    const line = await json((logger) => logger.warn({ node: 'n1' }, 'held'));
    expect(line).toEqual({ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), node: 'n1', msg: 'held' });
  });

  it('is one line whatever is in the message', async () => {
    const output = await written({}, (logger) => logger.info('a\nb\r\u2028c'));
    expect(output.trimEnd()).not.toMatch(/[\n\r\u2028]/);
    expect(JSON.parse(output).msg).toBe('a\nb\r\u2028c');
  });

  it('brings no control character to a terminal, and loses none for who parses it', async () => {
    const msg = `${ESC}[31m ${C1_CSI}2J \u007f ${RIGHT_TO_LEFT} \u{e0041}`;
    const output = await written({}, (logger) => logger.info({ [C1_CSI]: C1_CSI }, msg));
    expect(output.trimEnd()).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(output)).toMatchObject({ msg, [C1_CSI]: C1_CSI });
  });

  it('has fields that are part of themselves', async () => {
    const field: Record<string, unknown> = { name: 'n1' };
    field['self'] = field;
    expect((await json((logger) => logger.info({ field }))).field.name).toBe('n1');
  });

  it('is not written below the level', async () => {
    expect(await written({ level: 'warn' }, (logger) => logger.info('quiet'))).toBe('');
  });
});

describe('an error', () => {
  it('is its type and message, without what its makers hung on it', async () => {
    const line = await json((logger) => logger.error({ err: foreignError() }, 'failed'));
    expect(line).toMatchObject({ msg: 'failed' });
    expect(line.err).toEqual({ type: 'RangeError', message: 'outer' });
  });

  it('is the same under another key, and alone', async () => {
    const brief = { type: 'RangeError', message: 'outer' };
    expect((await json((logger) => logger.error({ reason: foreignError() }))).reason).toEqual(brief);
    expect(await json((logger) => logger.error(foreignError()))).toMatchObject({ err: brief, msg: 'outer' });
  });

  it('has its stack and its causes at debug', async () => {
    const { err } = await json((logger) => logger.error({ err: foreignError() }), 'debug');
    expect(Object.keys(err)).toEqual(['type', 'message', 'stack']);
    expect(err.stack).toContain('RangeError: outer');
    expect(err.stack).toContain('caused by TypeError: inner');
    expect(err.stack.join()).toContain('logger.test.ts');
  });

  it('is as brief inside a field', async () => {
    const line = await json((logger) => logger.error({ tries: [{ reason: foreignError() }] }));
    expect(line.tries).toEqual([{ reason: { type: 'RangeError', message: 'outer' } }]);
  });

  it('that is its own cause ends', async () => {
    const error = new Error('loop');
    error.cause = error;
    expect((await json((logger) => logger.error(error), 'debug')).msg).toBe('loop');
  });

  it('need not be an Error', async () => {
    expect((await json((logger) => logger.error({ err: 'just text' }))).err).toBe('just text');
  });
});

describe('a secret', () => {
  it.each([
    { token: 's3cret' },
    { authorization: 's3cret' },
    { headers: { authorization: 's3cret' } },
    { headers: { Authorization: 's3cret' } },
    { request: { headers: { authorization: 's3cret' } } },
    { config: { data: 's3cret' } },
    { response: { config: { data: 's3cret' } } },
    { settings: { password: 's3cret' } },
    { requests: [{ headers: { authorization: 's3cret' } }] },
    { request: { toJSON: () => ({ token: 's3cret' }) } },
    { note: 'sent Bearer s3cret to it' },
    { note: { deep: { down: ['Authorization: Bearer s3cret'] } } },
    { server: 'https://admin:s3cret@10.0.0.1:6443/api' },
  ])('does not get out in %j', async (fields) => {
    const output = await written({}, (logger) => logger.info(fields, 'fields'));
    expect(output).toContain('[redacted]');
    expect(output).not.toContain('s3cret');
  });

  it.each([
    'GET / with Authorization: Bearer s3cret.s3cret-_~+/=',
    'header "Bearer s3cret"',
    'header {"authorization":"Bearer \\"s3cret\\""}',
    'Bearer "s3cret',
    'proxy http://user:s3cret@proxy:3128',
  ])('does not get out in the message %j, which can still be parsed', async (msg) => {
    const output = await written({}, (logger) => logger.info(msg));
    expect(JSON.parse(output).msg).toContain('[redacted]');
    expect(output).not.toContain('s3cret');
  });

  it('does not get out of the fields of a child, an error, a stack or an interpolated object', async () => {
    const output = await written({ level: 'debug' }, (logger) => {
      logger.child({ token: 's3cret', note: 'Bearer s3cret' }).info('child');
      logger.error(new Error('Bearer s3cret'));
      logger.info('got %o', { token: 's3cret' });
    });
    expect(output).not.toContain('s3cret');
  });

  it('is not seen in what is none', async () => {
    const msg = 'node a@b: https://10.0.0.1/x?y=1 answered; see kube-register.io/keep@v1';
    expect((await json((logger) => logger.info(msg))).msg).toBe(msg);
  });
});

describe('pretty lines', () => {
  const pretty = { format: 'pretty' } as const;

  it('say when, how bad and what, with the fields behind, except those that the sentence tells', async () => {
    const output = await written(pretty, (logger) =>
      logger.warn(
        {
          event: 'registered',
          node: 'n1',
          machine: 'm1',
          lastedMs: 1,
          durationMs: 2_012,
          a: { b: 'c d', e: [1] },
          f: 'g',
        },
        'held',
      ),
    );
    expect(output).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN: held duration=2\.012s a\.b="c d" a\.e=\[1\] f=g\n$/,
    );
  });

  it('are coloured on a terminal only, and not when that is not wanted', async () => {
    const log: (logger: Logger) => void = (logger) => logger.info('x');
    expect(await written({ ...pretty, isTTY: true }, log)).toContain(ESC);
    expect(await written({ ...pretty, isTTY: true, noColor: true }, log)).not.toContain(ESC);
    expect(await written({ ...pretty, isTTY: false }, log)).not.toContain(ESC);
  });

  it('spell out every control character, in keys as in values, so that no line can be forged', async () => {
    const hostile = `${ESC}[2J ${C1_CSI}31m \u0007 ${RIGHT_TO_LEFT} ok\n[2026-01-01 00:00:00.000] INFO: all is well\r`;
    const output = await written(pretty, (logger) =>
      logger.info({ value: hostile, [hostile]: 1, nested: { [hostile]: hostile }, err: new Error(hostile) }, hostile),
    );
    expect(output).toMatch(/^[\x20-\x7e]+\n$/);
    expect(output).toContain('\\u001b[2J \\u009b31m \\u0007 \\u202e ok\\n[2026');
  });

  it('show the stack line by line at debug, and a message in it cannot forge a line', async () => {
    const error = new Error('first\n[2026-01-01 00:00:00.000] INFO: all is well');
    const output = await written({ ...pretty, level: 'debug' }, (logger) => logger.error({ err: error }, 'failed'));
    expect(output).toMatch(/\n +at .*logger\.test\.ts/);
    expect(output.match(/^\S/gm)).toHaveLength(1);
  });

  it('are without secrets too', async () => {
    const output = await written(pretty, (logger) => logger.info({ token: 's3cret' }, 'Bearer s3cret'));
    expect(output).not.toContain('s3cret');
  });
});

describe('standard output', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** A process that makes a logger on its standard output and does what `script` says. */
  function child(format: LoggerOptions['format'], script: string, stdout: 'pipe' | number = 'pipe'): ChildProcess {
    const module = new URL('../../../src/log/logger.ts', import.meta.url);
    const source = `import { createLogger } from '${module}';
      const logger = await createLogger({ level: 'info', format: '${format}' });
      ${script}`;
    const started = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      stdio: ['pipe', stdout, 'pipe'],
    });
    children.push(started);
    return started;
  }

  const all = (stream: ChildProcess['stdout']) =>
    stream === null ? Promise.reject(new Error('no pipe')) : text(stream);

  it.each(['json', 'pretty'] as const)('has every %s line when the process exits at once', async (format) => {
    const { stdout, stderr } = child(format, `for (let i = 0; i < 2000; i += 1) logger.info('line'); process.exit(0);`);
    const [lines, errors] = await Promise.all([all(stdout), all(stderr)]);
    expect(errors).toBe('');
    expect(lines.match(/line/g)).toHaveLength(2000);
  });

  it.each(['json', 'pretty'] as const)('may go away without the process, which logs %s lines', async (format) => {
    const script = `logger.info('first');
      process.stdin.once('data', () => {
        for (let i = 0; i < 100; i += 1) logger.info('nobody reads this');
        console.error('alive');
        process.exit(0);
      });`;
    const { stdin, stdout, stderr } = child(format, script);
    if (stdin === null || stdout === null) throw new Error('no pipe');
    await once(stdout, 'data');
    stdout.destroy();
    await once(stdout, 'close');
    stdin.write('go');
    expect(await all(stderr)).toBe('alive\n');
  });

  it.runIf(existsSync('/dev/full'))('may be a full disk', async () => {
    const full = openSync('/dev/full', 'w');
    const script = `for (let i = 0; i < 100; i += 1) logger.info('no room'); console.error('alive');`;
    const { stderr } = child('json', script, full);
    closeSync(full);
    expect(await all(stderr)).toBe('alive\n');
  });

  it.each(['json', 'pretty'] as const)(
    'may be a full pipe: %s lines are dropped, counted, and told of',
    async (format) => {
      const folder = await mkdtemp(join(tmpdir(), 'kube-register-'));
      const pipe = stalledPipe(folder);
      const script = `for (let i = 0; i < 20_000; i += 1) logger.info('line ' + 'x'.repeat(200));
      console.error('alive');
      process.stdin.once('data', () => {
        logger.info('the last line');
        process.exit(0);
      });`;
      try {
        const { stdin, stderr } = child(format, script, pipe.fd);
        if (stdin === null || stderr === null) throw new Error('no pipe');
        await once(stderr, 'data');
        let log = '';
        await vi.waitFor(() => {
          log += pipe.read();
          expect(log).toContain('dropped');
        }, 10_000);
        stdin.write('go');
        await vi.waitFor(() => {
          log += pipe.read();
          expect(log).toContain('the last line');
        }, 10_000);
        const lines = log.trimEnd().split('\n');
        const [, count = ''] = /dropped (\d+) log lines: nothing read the log for /.exec(lines.at(-2) ?? '') ?? [];
        expect(lines.at(-2)).toMatch(/warn/i);
        expect(Number(count) + lines.length - 2).toBe(20_000);
        expect(lines.slice(0, -2).every((line) => line.includes('line xxx'))).toBe(true);
      } finally {
        pipe.close();
        await rm(folder, { recursive: true });
      }
    },
  );

  it.each([
    ['json', false],
    ['pretty', true],
  ] as const)('as %s loads pino-pretty: %s', async (format, loads) => {
    const script = `import { createRequire } from 'node:module';
      const { cache } = createRequire('${import.meta.url}');
      console.error(Object.keys(cache).some((file) => file.includes('/pino-pretty/')));`;
    expect(await all(child(format, script).stderr)).toBe(`${loads}\n`);
  });
});
