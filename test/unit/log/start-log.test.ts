/** The line at start: which cluster, where, and with which settings. */
import { expect, it } from 'vitest';
import { logStart } from '../../../src/log/start-log.ts';
import { changedSettings } from '../../../src/settings/changed.ts';
import type { GivenSettings } from '../../../src/settings/given.ts';
import type { SettingName } from '../../../src/settings/table.ts';

const endpoints = { fleet: 'unix:///var/run/fleet.sock', kubernetes: 'https://10.0.0.1:6443' };

function given(texts: Partial<Record<SettingName, string>>): GivenSettings {
  return new Map(Object.entries(texts).map(([name, text]) => [name as SettingName, { written: name, text }]));
}

function logged(texts: Partial<Record<SettingName, string>>, clusterName = '') {
  const lines: [message: string, fields: unknown][] = [];
  const log = {
    write: (_event: string, message: string, fields: unknown) => lines.push([message, fields]),
    debug: () => {},
  };
  logStart(log, { clusterName, endpoints, changed: changedSettings(given(texts)) });
  return lines[0];
}

it('has the endpoints, and says that nothing else was set', () => {
  expect(logged({ METADATA: 'role=kubernetes', API_ENDPOINT: 'https://10.0.0.1:6443' })?.[0]).toBe(
    'fleet at unix:///var/run/fleet.sock, API server at https://10.0.0.1:6443; all other settings have their defaults',
  );
});

it('has the name of the cluster and what differs from the defaults, in the order of the table, as a shell takes it', () => {
  const [message, fields] =
    logged({ MISSING_GRACE: '5m', METADATA: 'role in (a, b)', EVENTS: 'true', CLUSTER_NAME: 'blue' }, 'blue') ?? [];
  expect(message).toBe(
    'cluster "blue": fleet at unix:///var/run/fleet.sock, API server at https://10.0.0.1:6443; ' +
      "not the default: METADATA='role in (a, b)', MISSING_GRACE=5m",
  );
  expect(fields).toEqual({
    cluster: 'blue',
    fleet: endpoints.fleet,
    apiServer: endpoints.kubernetes,
    settings: { METADATA: 'role in (a, b)', MISSING_GRACE: '5m' },
  });
});

it('has the paths of secrets, and nothing that may be one', () => {
  const token = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`;
  const [message = ''] = logged({ API_TOKEN_FILE: '/etc/token', OWNER_ID: token }) ?? [];
  expect(message).toContain('API_TOKEN_FILE=/etc/token');
  expect(message).not.toContain(token.slice(0, 20));
});
