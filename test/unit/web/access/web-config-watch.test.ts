/** Reading the web configuration again: what is used, what is said, and how often. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CredentialError } from '../../../../src/credentials/credential-error.ts';
import { NO_WEB_CONFIG, type WebConfig } from '../../../../src/web/access/web-config.ts';
import { WebConfigWatch } from '../../../../src/web/access/web-config-watch.ts';

const version = (digest: string): WebConfig => ({ ...NO_WEB_CONFIG, digest });
const broken = (message: string) => new CredentialError(message);

/** Reads these one after the other; returns what was said of each. */
async function reading(...versions: readonly (WebConfig | Error)[]): Promise<readonly string[]> {
  let said = '';
  const queue = [...versions];
  const read = async () => {
    const next = queue.shift();
    if (next === undefined || next instanceof Error) throw next;
    return next;
  };
  const watch = new WebConfigWatch(version('1'), read, {
    changed: ({ digest }) => {
      said += `use ${digest}`;
    },
    broken: (problem) => {
      said += problem;
    },
    mended: () => {
      said += 'mended';
    },
  });
  const all: string[] = [];
  for (const _ of versions) {
    said = '';
    await watch.check();
    all.push(said);
  }
  return all;
}

describe('the watch', () => {
  it('uses a new version once, and says nothing of an old one', async () => {
    expect(await reading(version('1'), version('2'), version('2'))).toEqual(['', 'use 2', '']);
  });

  it('says of a mistake once, at its second reading, and that the file is as before', async () => {
    const mistake = broken('bad');
    expect(await reading(mistake, mistake, mistake, version('1'), version('1'))).toEqual(['', 'bad', '', 'mended', '']);
  });

  it('says nothing of a certificate whose key comes a moment later', async () => {
    expect(await reading(broken('the key does not belong'), version('2'))).toEqual(['', 'use 2']);
  });

  it('says of each new mistake, and of the same one again after a good version', async () => {
    const [a, b] = [broken('a'), broken('b')];
    expect(await reading(a, a, b, b, version('2'), a, a)).toEqual(['', 'a', '', 'b', 'use 2', '', 'a']);
  });

  it('takes an error of the program for a mistake, and shows nothing of it', async () => {
    const error = new RangeError('a password');
    expect(await reading(error, error)).toEqual(['', 'KUBE_REGISTER_WEB_CONFIG_FILE: it cannot be read (RangeError)']);
  });

  it('takes what needs a restart for a mistake', async () => {
    const tls = { cert: '', key: '', ca: undefined, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
    const withTls: WebConfig = {
      ...version('2'),
      tls: { ...tls, honorCipherOrder: true, clientCertificates: 'not asked for' },
    };
    const said = await reading(withTls, withTls);
    expect(said[1]).toMatch(/^KUBE_REGISTER_WEB_CONFIG_FILE: tls_server_config was added: restart/);
  });

  it('reads every 5 s until it is stopped, and never twice at once', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const read = vi.fn(() => new Promise<WebConfig>(() => {}));
    const watch = new WebConfigWatch(version('1'), read, { changed: () => {}, broken: () => {}, mended: () => {} });
    watch.start();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(read).toHaveBeenCalledTimes(0);
    await vi.advanceTimersByTimeAsync(10_001);
    expect(read).toHaveBeenCalledTimes(1);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
