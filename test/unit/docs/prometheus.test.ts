/** The steps for TLS and a password on the page about Prometheus make files that the daemon and Prometheus take. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { webConfigFile } from '../../../src/web/access/web-config-schema.ts';
import { ROOT, readDocument } from '../../docs/documents.ts';

const PAGE = readDocument('deploy/docs/prometheus.md').text;
const HASH = `$2y$10$${'a'.repeat(53)}`;

it('shows a web configuration file that the daemon takes', () => {
  const lines = PAGE.split('\n').filter((line) => line.startsWith('       '));
  const file = lines.map((line) => line.slice(7).replace('$2y$10$...', HASH)).join('\n');
  const { tls_server_config: tls, basic_auth_users: users } = webConfigFile.parse(parse(file));
  expect(tls).toMatchObject({ cert_file: 'server.pem', key_file: 'server.key' });
  expect([...users]).toEqual([['prometheus', HASH]]);
});

it('has a login appear in the scrape job when the # of the last three lines is removed, for the same user', () => {
  const lines = readFileSync(new URL('deploy/prometheus/prometheus.yml', ROOT), 'utf8').trimEnd().split('\n');
  expect(PAGE).toContain('Remove the `#`, and the space after it, from the last three lines of `prometheus.yml`');
  const after = [...lines.slice(0, -3), ...lines.slice(-3).map((line) => line.replace('# ', ''))];
  const job = { job_name: 'kube-register', scheme: 'https' };
  const login = { username: 'prometheus', password_file: 'kube-register-password' };
  expect(parse(after.join('\n'))).toMatchObject({
    scrape_configs: [{ ...job, tls_config: { ca_file: 'kube-register-ca.pem' }, basic_auth: login }],
  });
  expect(PAGE).toContain('curl --cacert kube-register-ca.pem -u prometheus ');
});
