/** Which names a server's certificate is for: as Go has it, and as Node has it where legacy TLS is allowed. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { identityProblem } from '../../src/http/server-identity.ts';

/** A certificate of nobody, with these names in it. */
function certificate(commonName: string, names: string): PeerCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'server-identity-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'cert.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'key.pem')];
  const extension = names === '' ? [] : ['-addext', `subjectAltName=${names}`];
  const args = ['req', '-x509', ...key, '-subj', `/CN=${commonName}`, ...extension, '-out', file];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return new X509Certificate(readFileSync(file)).toLegacyObject();
}

it.each([
  ['api.lab', 'DNS:api.lab', true, true],
  ['API.lab', 'DNS:api.LAB', true, true],
  ['api.lab.', 'DNS:api.lab', true, true],
  ['api_1.lab', 'DNS:api_1.lab', true, true],
  ['api.lan', 'DNS:*.lan', true, true],
  ['api.lab.example', 'DNS:*.lab.example', true, true],
  ['a.api.lab.example', 'DNS:*.lab.example', false, false],
  ['lab.example', 'DNS:*.lab.example', false, false],
  ['api.lab.example', 'DNS:a*.lab.example', false, true],
  ['api.lab', 'DNS:other.lab', false, false],
  ['server', '', false, true],
  ['server', 'IP:10.0.0.1', false, true],
  ['server', 'DNS:other', false, false],
  ['10.0.0.1', 'IP:10.0.0.1', true, true],
  ['10.0.0.1', 'DNS:10.0.0.1', false, false],
  ['10.0.0.1', 'IP:10.0.0.2', false, false],
])('%s in "%s" of CN=server: %s, with legacy TLS %s', (name, names, taken, takenByLegacy) => {
  const one = certificate('server', names);
  const problems = [identityProblem(name, one, false), identityProblem(name, one, true)];
  expect(problems.map((problem) => problem === undefined)).toEqual([taken, takenByLegacy]);
  for (const problem of problems) {
    if (problem === undefined) continue;
    expect(problem).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', cert: one });
    expect(Object(problem).isLegacyName ?? false).toBe(takenByLegacy);
  }
});
