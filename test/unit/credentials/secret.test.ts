import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mayBeSecret } from '../../../src/credentials/secret.ts';
import { envName, flagName, rowOf, settingNames } from '../../../src/settings/table.ts';

describe('what may be a secret', () => {
  it.each([
    ['a JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrdWJlIn0.c2ln'],
    ['a bootstrap token', '07401b.f395accd246ae52d'],
    ['a UUID, as in the first token files', '31ada4fd-adec-460c-809a-9e56ceb75269'],
    ['a key in PEM', '-----BEGIN PRIVATE KEY-----'],
    ['an Authorization header', 'Bearer hunter2'],
    ['a URL with a password', 'http://admin:hunter2@10.0.0.1'],
    ['a URL with a query', 'https://10.0.0.1/?token=hunter2'],
    ['half of a token that was divided', 'abcd/1f0e3dad99908345f743/xyz'],
  ])('%s', (_name, text) => {
    expect(mayBeSecret(text)).toBe(true);
  });

  it.each(['hex', 'base64', 'base64url'] as const)('noise in %s, of which hardly any passes for words', (encoding) => {
    const texts = Array.from({ length: 1_000 }, (_, index) => createHash('sha256').update(`${index}`).digest(encoding));
    expect(texts.filter((text) => !mayBeSecret(text)).length).toBeLessThan(10);
  });
});

describe('what is shown', () => {
  it.each([
    'role=kubernetes',
    'role in (kubernetes,worker),zone!=eu-central-1',
    '/etc/kubernetes/ssl/kube-register-client-certificate.pem',
    '/run/secrets/kubernetes.io/serviceaccount/token',
    'unix:///var/run/fleet.sock',
    'https://kubernetes.default.svc.cluster.local:6443',
    'fd00:1234:5678:9abc:def0:1234:5678:9abc',
    'ip-10-0-0-1.eu-central-1.compute.internal',
    '--frobnicate-the-machines-of-fleet',
    'KUBE_REGISTER_MAX_DEREGISTER_PERCENTAGE',
  ])('%s', (text) => {
    expect(mayBeSecret(text)).toBe(false);
  });

  it('the name of every setting, and its default', () => {
    const texts = settingNames.flatMap((name) => [envName(name), flagName(name), rowOf(name).default ?? '']);
    expect(texts.filter(mayBeSecret)).toEqual([]);
  });
});
