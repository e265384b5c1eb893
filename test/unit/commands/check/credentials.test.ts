/** What the check says of credentials of which one has ended while another is good. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkCredentials } from '../../../../src/commands/check/checks/credentials.ts';
import { settingsSource } from '../../../../src/http/config-source.ts';
import type { ApiAccess } from '../../../../src/kubernetes/access/credentials.ts';

const NOW = Date.UTC(2026, 0, 1);
const pem = (name: string) => readFileSync(new URL(`../../../certificates/${name}`, import.meta.url), 'utf8');

async function found(tls: Omit<ApiAccess['tls'], 'insecureSkipVerify'>, token?: string): Promise<string[]> {
  const access: ApiAccess = {
    endpoint: 'https://10.0.0.1:6443',
    tls: { ...tls, insecureSkipVerify: false },
    token: token === undefined ? undefined : async () => token,
    source: settingsSource('kubernetes'),
  };
  return (await checkCredentials(access, 'accepted', NOW)).map(({ state, sentence }) => `${state}: ${sentence}`);
}

it('warns of a CA that has expired beside one that has not, and calls it wrong alone', async () => {
  const expired = 'the CA certificate "CN=expired" has expired (2016-01-01T00:00Z)';
  expect(await found({ ca: pem('ca.pem') + pem('expired.pem') }, 'token')).toEqual([`warning: ${expired}`]);
  expect(await found({ ca: pem('expired.pem') }, 'token')).toEqual([`wrong: ${expired}`]);
});

it('warns of a client certificate that has expired beside a token, and calls it wrong alone', async () => {
  const expired = 'the client certificate "CN=expired" has expired (2016-01-01T00:00Z)';
  const pair = { cert: pem('expired.pem'), key: pem('expired.key') };
  expect(await found(pair, 'token')).toEqual([`warning: ${expired}`]);
  expect(await found(pair)).toEqual([`wrong: ${expired}`]);
});
