/** Which names a server's certificate is for: as Go has it, and as Node has it where legacy TLS is allowed. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { identityProblem } from '../../../src/http/server-identity.ts';

it.each([
  // For API_1.lab, *.lab.example, *.lan and a*.part.example.
  ['api_1.lab', 'names', true, true],
  ['API_1.LAB', 'names', true, true],
  ['api_1.lab.', 'names', true, true],
  ['api.lan', 'names', true, true],
  ['api.lab.example', 'names', true, true],
  ['a.api.lab.example', 'names', false, false],
  ['lab.example', 'names', false, false],
  ['lan', 'names', false, false],
  ['api.part.example', 'names', false, true],
  ['names', 'names', false, false],
  // For no name and no address.
  ['nameless', 'nameless', false, true],
  ['other', 'nameless', false, false],
  // For 127.0.0.1 alone.
  ['sha1', 'sha1', false, true],
  ['127.0.0.1', 'sha1', true, true],
  ['127.0.0.2', 'sha1', false, false],
  // For 127.0.0.1 as a DNS name.
  ['127.0.0.1', 'address-as-name', false, false],
])('%s is one of the names of %s.pem: %s, with legacy TLS %s', (name, file, isOne, isOneByLegacy) => {
  const pem = readFileSync(new URL(`../../certificates/${file}.pem`, import.meta.url));
  const certificate = new X509Certificate(pem).toLegacyObject();
  const problems = [identityProblem(name, certificate, false), identityProblem(name, certificate, true)];
  expect(problems.map((problem) => problem === undefined)).toEqual([isOne, isOneByLegacy]);
  for (const problem of problems) {
    if (problem === undefined) continue;
    expect(problem).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', cert: certificate });
    expect(Object(problem).isLegacyName ?? false).toBe(isOneByLegacy);
  }
});
