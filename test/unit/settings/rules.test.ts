import { describe, expect, it } from 'vitest';
import { type Env, mistakes, warnings } from './read-settings.ts';

describe('two settings that do not go together', () => {
  const https = { FLEET_ENDPOINT: 'https://f', API_ENDPOINT: 'https://k' };
  const kubeconfig = { KUBECONFIG: '/etc/kubeconfig' };

  it.each<[Env, string, string]>([
    [
      { SYNC_SCHEDULE: '0 * * * * *', SYNC_INTERVAL: '30' },
      'SYNC_INTERVAL',
      'cannot be combined with KUBE_REGISTER_SYNC_SCHEDULE',
    ],
    [
      { HEALTHZ_PORT: '80', HEALTHZ_URL: 'http://{ip}/' },
      'HEALTHZ_PORT',
      'cannot be combined with KUBE_REGISTER_HEALTHZ_URL',
    ],
    [{ ...kubeconfig, API_ENDPOINT: 'http://k' }, 'API_ENDPOINT', 'cannot be combined with KUBE_REGISTER_KUBECONFIG'],
    [{ REVERSE_LOOKUP: 'true', NODE_NAME: 'ip' }, 'REVERSE_LOOKUP', 'KUBE_REGISTER_NODE_NAME has another value'],
    [{ ...https, FLEET_CERT_FILE: '/c' }, 'FLEET_CERT_FILE', 'requires KUBE_REGISTER_FLEET_KEY_FILE'],
    [{ ...https, FLEET_KEY_FILE: '/k' }, 'FLEET_KEY_FILE', 'requires KUBE_REGISTER_FLEET_CERT_FILE'],
    [{ ...https, API_CERT_FILE: '/c' }, 'API_CERT_FILE', 'requires KUBE_REGISTER_API_KEY_FILE'],
    [{ ...https, API_KEY_FILE: '/k' }, 'API_KEY_FILE', 'requires KUBE_REGISTER_API_CERT_FILE'],
    [
      { KUBELET_CA_FILE: '/ca', KUBELET_CERT_FILE: '/c' },
      'KUBELET_CERT_FILE',
      'requires KUBE_REGISTER_KUBELET_KEY_FILE',
    ],
    [{ KUBELET_KEY_FILE: '/k' }, 'KUBELET_KEY_FILE', 'requires KUBE_REGISTER_KUBELET_CERT_FILE'],
    [{ FLEET_CA_FILE: '/ca' }, 'FLEET_CA_FILE', 'KUBE_REGISTER_FLEET_ENDPOINT is "unix:///var/run/fleet.sock"'],
    [{ FLEET_CA_FILE: '/ca', FLEET_ENDPOINT: 'http://f' }, 'FLEET_CA_FILE', 'requires an https:// endpoint'],
    [{ API_CA_FILE: '/ca' }, 'API_CA_FILE', 'KUBE_REGISTER_API_ENDPOINT is "http://127.0.0.1:8080"'],
    [{ API_INSECURE_SKIP_TLS_VERIFY: 'true' }, 'API_INSECURE_SKIP_TLS_VERIFY', 'requires an https:// endpoint'],
    [{ API_LEGACY_TLS: 'true' }, 'API_LEGACY_TLS', 'requires an https:// endpoint'],
    [{ FLEET_LEGACY_TLS: 'true' }, 'FLEET_LEGACY_TLS', 'requires an https:// endpoint'],
    [{ ...https, API_CA_FILE: '/ca', API_INSECURE_SKIP_TLS_VERIFY: 'true' }, 'API_CA_FILE', 'set only one of them'],
    [
      { API_TOKEN_FILE: '/t', API_ENDPOINT: 'http://10.0.0.1' },
      'API_TOKEN_FILE',
      'not sent over plain http to another host',
    ],
    [
      { API_TOKEN_FILE: '/t', API_ENDPOINT: 'http://127.0.0.1.x' },
      'API_TOKEN_FILE',
      'not sent over plain http to another host',
    ],
    [{ ...kubeconfig, API_TOKEN_FILE: '/t' }, 'API_TOKEN_FILE', 'cannot be combined with KUBE_REGISTER_KUBECONFIG'],
    [{ ...kubeconfig, API_CA_FILE: '/ca' }, 'API_CA_FILE', 'cannot be combined with KUBE_REGISTER_KUBECONFIG'],
    [
      { ...kubeconfig, API_INSECURE_SKIP_TLS_VERIFY: 'true' },
      'API_INSECURE_SKIP_TLS_VERIFY',
      'cannot be combined with',
    ],
    [{ KUBELET_TOKEN_FILE: '/t' }, 'KUBELET_TOKEN_FILE', 'requires KUBE_REGISTER_KUBELET_CA_FILE'],
    [{ KUBELET_CA_FILE: '/ca', HEALTHZ_PORT: '80' }, 'KUBELET_CA_FILE', 'KUBE_REGISTER_HEALTHZ_PORT has none'],
    [{ KUBELET_CA_FILE: '/ca', HEALTHZ_URL: 'http://{ip}' }, 'KUBELET_CA_FILE', 'KUBE_REGISTER_HEALTHZ_URL has none'],
  ])('%j: one line about %s', (variables, about, sentence) => {
    const [line, ...others] = mistakes(variables);
    expect(others).toEqual([]);
    expect(line).toMatch(new RegExp(`^KUBE_REGISTER_${about}=`));
    expect(line).toContain(sentence);
  });

  it.each<[Env]>([
    [{ REVERSE_LOOKUP: 'true', NODE_NAME: 'reverse-lookup' }],
    [{ REVERSE_LOOKUP: 'false', NODE_NAME: 'machine-id' }],
    [{ ...kubeconfig, API_INSECURE_SKIP_TLS_VERIFY: 'false' }],
    [{ API_INSECURE_SKIP_TLS_VERIFY: 'false' }],
    [{ ...kubeconfig, API_VERSION: 'v1', API_TIMEOUT: '5s' }],
    [{ SYNC_SCHEDULE: '', SYNC_INTERVAL: '30' }],
    [{ API_TOKEN_FILE: '/t' }],
    [{ ...kubeconfig, API_LEGACY_TLS: 'true' }],
    [{ ...https, API_LEGACY_TLS: 'true', FLEET_LEGACY_TLS: 'true' }],
    [{ API_LEGACY_TLS: 'false', FLEET_LEGACY_TLS: 'false' }],
  ])('%j go together', (variables) => {
    expect(mistakes(variables)).toEqual([]);
  });

  it('are not judged by the default that stands in for a value that could not be read', () => {
    expect(mistakes({ FLEET_ENDPOINT: 'nonsense', FLEET_CA_FILE: '/ca' })).toHaveLength(1);
  });

  it('are named as flags, where the operator wrote flags', () => {
    expect(mistakes({}, ['--fleet-endpoint=https://f', '--fleet-cert-file=/c'])).toEqual([
      '--fleet-cert-file="/c": requires --fleet-key-file',
    ]);
  });
});

describe('a warning', () => {
  it('is given for a grace under two minutes, and not for two minutes or never', () => {
    expect(warnings({ MISSING_GRACE: '119s', UNHEALTHY_GRACE: '0' })).toEqual([
      expect.stringMatching(/^KUBE_REGISTER_MISSING_GRACE="119s": is less than 2m/),
      expect.stringMatching(/^KUBE_REGISTER_UNHEALTHY_GRACE="0": is less than 2m/),
    ]);
    expect(warnings({ MISSING_GRACE: '2m', UNHEALTHY_GRACE: 'never' })).toEqual([]);
  });

  it('is given when the certificate of the API server is not checked', () => {
    expect(warnings({ API_ENDPOINT: 'https://k', API_INSECURE_SKIP_TLS_VERIFY: 'true' })).toHaveLength(1);
  });

  it('is given when legacy TLS is allowed', () => {
    const risk = 'anyone on the network path may decrypt the traffic or impersonate the server';
    expect(warnings({ API_ENDPOINT: 'https://k', API_LEGACY_TLS: 'true', FLEET_LEGACY_TLS: 'false' })).toEqual([
      `KUBE_REGISTER_API_LEGACY_TLS="true": TLS 1.0, SHA-1 and small keys are allowed: ${risk}`,
    ]);
  });

  it('is given when one silent kubelet would outlast the pass', () => {
    const risk = 'one unreachable kubelet makes every pass fail';
    expect(warnings({ PASS_TIMEOUT: '2s' })).toEqual([
      `KUBE_REGISTER_PASS_TIMEOUT="2s": is not longer than KUBE_REGISTER_HEALTHZ_TIMEOUT (2s): ${risk}`,
    ]);
    expect(warnings({ HEALTHZ_TIMEOUT: '2m' })).toEqual([
      `KUBE_REGISTER_HEALTHZ_TIMEOUT="2m": is not shorter than KUBE_REGISTER_PASS_TIMEOUT (2m): ${risk}`,
    ]);
    expect(warnings({ PASS_TIMEOUT: '3s' })).toEqual([]);
  });

  it('is given when the mass guard is off, unless no node is ever deregistered', () => {
    expect(warnings({ MAX_DEREGISTER_PERCENT: '100' })).toEqual([
      expect.stringMatching(/^KUBE_REGISTER_MAX_DEREGISTER_PERCENT="100": turns the deletion guard off: /),
    ]);
    expect(warnings({ MAX_DEREGISTER_PERCENT: '100', MISSING_GRACE: 'never' })).toHaveLength(1);
    expect(warnings({ MAX_DEREGISTER_PERCENT: '99' })).toEqual([]);
    expect(warnings({ MAX_DEREGISTER_PERCENT: '100', POLICY: 'register-only' })).toEqual([]);
    expect(warnings({ MAX_DEREGISTER_PERCENT: '100', ONCE: 'true' })).toEqual([]);
    expect(warnings({ MAX_DEREGISTER_PERCENT: '100', MISSING_GRACE: 'never', UNHEALTHY_GRACE: 'never' })).toEqual([]);
  });
});
