import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/settings/settings.ts';
import { rowOf, type SettingName, settingNames } from '../../../src/settings/table.ts';
import { mistakes, read } from './read-settings.ts';

describe('a value', () => {
  it.each<[string, string, (s: Settings) => unknown, unknown]>([
    ['FLEET_ENDPOINT', 'unix:///run/fleet.sock', (s: Settings) => s.fleet.endpoint, 'unix:///run/fleet.sock'],
    ['FLEET_ENDPOINT', ' http://fleet:49153/ ', (s: Settings) => s.fleet.endpoint, 'http://fleet:49153'],
    ['FLEET_ENDPOINT', 'HTTPS://Fleet:443/base//', (s: Settings) => s.fleet.endpoint, 'https://fleet/base'],
    ['FLEET_ENDPOINT', 'http://[FD00::1]:80/a', (s: Settings) => s.fleet.endpoint, 'http://[fd00::1]/a'],
    ['FLEET_TIMEOUT', '1500ms', (s: Settings) => s.fleet.timeoutMs, 1_500],
    ['API_VERSION', 'v1', (s: Settings) => s.api.version, 'v1'],
    ['API_TIMEOUT', '30', (s: Settings) => s.api.timeoutMs, 30_000],
    ['HEALTHZ_PORT', '80', (s: Settings) => s.kubelet.urlTemplates, ['http://{ip}:80/healthz']],
    [
      'HEALTHZ_URL',
      'https://{ip}/a?b=c , http://{ip}',
      (s: Settings) => s.kubelet.urlTemplates,
      ['https://{ip}/a?b=c', 'http://{ip}'],
    ],
    ['HEALTHZ_TIMEOUT', '5s', (s: Settings) => s.kubelet.timeoutMs, 5_000],
    ['HEALTHZ_CONCURRENCY', '1000', (s: Settings) => s.kubelet.concurrency, 1_000],
    [
      'SYNC_SCHEDULE',
      '0  */5 * * * MON-FRI',
      (s: Settings) => s.schedule,
      { kind: 'cron', expression: '0 */5 * * * MON-FRI' },
    ],
    ...['0 30 4 * * 5', '0 30 4 1,15 * *', '0 0 0 */2 * FRI', '*/60 */60 */24 * * *', '0-20/10 * * * * *'].map(
      (expression): [string, string, (s: Settings) => unknown, unknown] => [
        'SYNC_SCHEDULE',
        expression,
        (s) => s.schedule,
        { kind: 'cron', expression },
      ],
    ),
    ['METADATA', `owner=o'brien`, (s: Settings) => s.selector.text, `owner=o'brien`],
    ['API_LEGACY_TLS', 'false', (s: Settings) => s.api.legacyTls, false],
    ['SYNC_INTERVAL', '45s', (s: Settings) => s.schedule, { kind: 'interval', ms: 45_000 }],
    ['PASS_TIMEOUT', '5m', (s: Settings) => s.passTimeoutMs, 300_000],
    ['NODE_NAME', 'machine-id', (s: Settings) => s.nodeName, { kind: 'machine-id' }],
    ['NODE_NAME', 'metadata: host', (s: Settings) => s.nodeName, { kind: 'metadata', key: 'host' }],
    ['REVERSE_LOOKUP', 'true', (s: Settings) => s.nodeName, { kind: 'reverse-lookup' }],
    ['NODE_LABELS', 'zone, rack,zone', (s: Settings) => s.nodeLabels, ['zone', 'rack']],
    ['OWNER_ID', 'blue-2.fleet', (s: Settings) => s.ownerId, 'blue-2.fleet'],
    ['ADOPT', 'false', (s: Settings) => s.adopt, false],
    ['POLICY', 'register-only', (s: Settings) => s.policy, 'register-only'],
    ['MISSING_GRACE', 'never', (s: Settings) => s.missingGraceMs, Number.POSITIVE_INFINITY],
    ['UNHEALTHY_GRACE', '0', (s: Settings) => s.unhealthyGraceMs, 0],
    ['MAX_DEREGISTER_PERCENT', '100', (s: Settings) => s.maxDeregisterPercent, 100],
    ['LISTEN', 'off', (s: Settings) => s.listen, 'off'],
    ['LISTEN', 'localhost:0', (s: Settings) => s.listen, { host: 'localhost', port: 0 }],
    ['LISTEN', '[::]:10271', (s: Settings) => s.listen, { host: '::', port: 10_271 }],
    ['CLUSTER_NAME', 'Berlin, rack 4', (s: Settings) => s.clusterName, 'Berlin, rack 4'],
    ['PAGE_HOSTS', 'Nodes.example.com., nodes', (s: Settings) => s.pageHosts, ['nodes.example.com', 'nodes']],
    ['LOG_LEVEL', 'debug', (s: Settings) => s.logLevel, 'debug'],
    ['LOG_FORMAT', 'pretty', (s: Settings) => s.logFormat, 'pretty'],
    ['DRY_RUN', 'true', (s: Settings) => s.dryRun, true],
    ['ONCE', '1', (s: Settings) => s.once, true],
  ])('of %s, %j, is read', (name, text, get, expected) => {
    expect(get(read([], { [name]: text }))).toEqual(expected);
  });

  it('that is a file is passed on as it is', () => {
    const fleet = {
      FLEET_ENDPOINT: 'https://f',
      FLEET_CA_FILE: '/ca',
      FLEET_CERT_FILE: './cert',
      FLEET_KEY_FILE: '../key',
    };
    expect(read([], fleet).fleet).toMatchObject({ caFile: '/ca', certFile: './cert', keyFile: '../key' });
    const kubelet = {
      KUBELET_CA_FILE: '/ca',
      KUBELET_CERT_FILE: '/c',
      KUBELET_KEY_FILE: '/k',
      KUBELET_TOKEN_FILE: '/t',
    };
    expect(read([], kubelet).kubelet).toMatchObject({ caFile: '/ca', certFile: '/c', keyFile: '/k', tokenFile: '/t' });
  });
});

describe('a value that is not allowed', () => {
  it.each([
    ['FLEET_ENDPOINT', 'fleet.sock', 'must be unix:///path/of/socket, http://host:port or https://host:port'],
    ['FLEET_ENDPOINT', 'unix://var/run/fleet.sock', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'unix:///', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'unix:///run/', 'must be unix:///path'],
    ['FLEET_ENDPOINT', `unix:///${'x'.repeat(107)}`, 'must be unix:///path'],
    ['FLEET_ENDPOINT', '10.0.0.1:49153', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'http:49153', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'http:///x', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'http://h:0', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'http://h:65536', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'http://a b', 'must be unix:///path'],
    ['FLEET_ENDPOINT', 'http://h#x', 'must not have a query or a fragment'],
    ['FLEET_ENDPOINT', 'ftp://h', 'must be unix:///path'],
    ['API_ENDPOINT', 'unix:///run/api.sock', 'must be http://host:port or https://host:port'],
    ['FLEET_TIMEOUT', '99ms', 'must be a duration from 100ms to 10m'],
    ['API_TIMEOUT', '601', 'must be a duration from 100ms to 10m'],
    ['HEALTHZ_TIMEOUT', '2 s', 'must be a duration from 100ms to 10m'],
    ['METADATA', 'role kubernetes', 'the term "role kubernetes"'],
    ['API_VERSION', 'v2', 'must be auto, v1, v1beta3, v1beta2 or v1beta1'],
    ['HEALTHZ_URL', 'http://10.0.0.1/healthz', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'http://x{ip}:80/', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'http://h/{ip}', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'http://{ip}/{ip}', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'http://{ip}:0/', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'http://{ip}:70000/', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'ftp://{ip}/', '{ip} as its whole host'],
    ['HEALTHZ_URL', 'http://{ip}/,', '{ip} as its whole host'],
    ['HEALTHZ_PORT', '0', 'must be a whole number from 1 to 65535'],
    ['HEALTHZ_PORT', '1e3', 'must be a whole number from 1 to 65535'],
    ['HEALTHZ_CONCURRENCY', '1001', 'must be a whole number from 1 to 1000'],
    ['SYNC_SCHEDULE', '* * * * *', 'must be six cron fields'],
    ['SYNC_SCHEDULE', '* * * * * * *', 'must be six cron fields'],
    ['SYNC_SCHEDULE', '@daily', 'must be six cron fields'],
    ['SYNC_SCHEDULE', '61 * * * * *', 'node-cron: 61 is a invalid expression for second'],
    ['SYNC_SCHEDULE', '0 0 0 31 2 *', 'impossible day of month'],
    ['SYNC_SCHEDULE', '0 0 0 L-30 2 *', 'this time never occurs'],
    ['SYNC_SCHEDULE', '0-999999999 * * * * *', 'no number has more than two digits'],
    ['SYNC_SCHEDULE', '0 30 4 1,15 * 5', 'day and weekday cannot both be restricted'],
    ['SYNC_SCHEDULE', '0 0 0 1-31 * MON', 'day and weekday cannot both be restricted'],
    ['SYNC_SCHEDULE', '*/90 * * * * *', 'the step of */90 is larger than its 60 values; for a fixed interval set'],
    ['SYNC_SCHEDULE', '0 5,*/61 * * * *', 'the step of */61 is larger than its 60 values'],
    ['SYNC_SCHEDULE', '0 0 */25 * * *', 'the step of */25 is larger than its 24 values'],
    ['SYNC_SCHEDULE', '0 0 0 */32 * *', 'the step of */32 is larger than its 31 values'],
    ['SYNC_SCHEDULE', '0 0 0 * */13 *', 'the step of */13 is larger than its 12 values'],
    ['SYNC_SCHEDULE', '0 0 0 * * */8', 'the step of */8 is larger than its 7 values'],
    ['SYNC_SCHEDULE', '10-20/30 * * * * *', 'the step of 10-20/30 is larger than its 11 values'],
    ['SYNC_INTERVAL', '999ms', 'must be a duration from 1s to 24h'],
    ['SYNC_INTERVAL', '25h', 'must be a duration from 1s to 24h'],
    ['PASS_TIMEOUT', '0', 'must be a duration from 1s to 1h'],
    ['NODE_NAME', 'hostname', 'must be ip, reverse-lookup, machine-id or metadata:<key>'],
    ['NODE_NAME', 'metadata:', 'must be ip, reverse-lookup, machine-id or metadata:<key>'],
    ['REVERSE_LOOKUP', 'maybe', 'must be true or false'],
    ['NODE_LABELS', 'zone,,rack', 'none of them empty'],
    ['OWNER_ID', 'blue fleet', 'must be 1 to 63 letters, digits'],
    ['OWNER_ID', 'x'.repeat(64), 'must be 1 to 63 letters, digits'],
    ['OWNER_ID', '-blue', 'begin and end with a letter or a digit'],
    ['POLICY', 'delete', 'must be sync or register-only'],
    ['MISSING_GRACE', 'Never', 'must be never or a duration up to 720h'],
    ['UNHEALTHY_GRACE', '-1s', 'must be never or a duration up to 720h'],
    ['MAX_DEREGISTER_PERCENT', '101', 'must be a whole number from 0 to 100'],
    ['MAX_DEREGISTER_PERCENT', '34%', 'must be a whole number from 0 to 100'],
    ['LISTEN', '10271', 'must be host:port'],
    [
      'PAGE_HOSTS',
      'nodes.example.com:80',
      'must be host names separated by commas, in the letters a to z (others as xn--...), digits, - and dots, without a port',
    ],
    ['CLUSTER_NAME', 'a'.repeat(64), 'must be at most 63 characters on one line'],
    ['CLUSTER_NAME', 'a'.repeat(65), 'without control characters'],
    ['PAGE_HOSTS', 'a..b', 'must be host names separated by commas'],
    ['PAGE_HOSTS', `${'a.'.repeat(127)}a`, 'must be host names separated by commas'],
    ['PAGE_HOSTS', `${'a'.repeat(64)}.example.com`, 'must be host names separated by commas'],
    ['PAGE_HOSTS', 'ex\u00e4mple.com', 'in the letters a to z (others as xn--...)'],
    ['PAGE_HOSTS', 'exa_mple.com', 'without a port, _ or *'],
    ['PAGE_HOSTS', '10.0.0.1', 'addresses need not be listed'],
    ['PAGE_HOSTS', 'a,,b', 'must be host names separated by commas'],
    ['PAGE_HOSTS', '*.example.com', 'must be host names separated by commas'],
    ['LISTEN', ':10271', 'must be host:port'],
    ['LISTEN', '::1:80', 'must be host:port'],
    ['LISTEN', '[10.0.0.1]:80', 'must be host:port'],
    ['LISTEN', '10.0.0.256:80', 'must be host:port'],
    ['LISTEN', '0.0.0.0:65536', 'must be host:port'],
    ['LOG_LEVEL', 'verbose', 'must be trace, debug, info, warn, error or fatal'],
    ['LOG_FORMAT', 'xml', 'must be json or pretty'],
  ])('%s=%j is one line with the variable, the value and what is allowed', (name, text, allowed) => {
    const [line, ...others] = mistakes({ [name]: text });
    expect(others).toEqual([]);
    expect(line).toContain(`KUBE_REGISTER_${name}="${text.slice(0, 64)}`);
    expect(line).toContain(allowed);
  });
});

describe('a value with the quotation marks that a shell would have taken away', () => {
  const problem = 'contains quotation marks, which docker --env-file does not remove: write the value without them';
  /** A value that each setting takes. */
  const good: Partial<Record<SettingName, string>> = {
    API_ENDPOINT: 'http://k:8080',
    HEALTHZ_PORT: '80',
    SYNC_INTERVAL: '45s',
    NODE_LABELS: 'rack',
    PAGE_HOSTS: 'nodes.example.com',
    CLUSTER_NAME: 'lab',
  };
  const values = settingNames.map((name) => [name, good[name] ?? (rowOf(name).default || '/etc/file')] as const);

  it.each(values)('is refused: %s', (name, value) => {
    for (const mark of ['"', "'"]) {
      const [line, ...others] = mistakes({ [name]: `${mark}${value}${mark}` });
      expect(others).toEqual([]);
      expect(line).toMatch(new RegExp(`^KUBE_REGISTER_${name}=`));
      expect(line).toContain(problem);
    }
  });

  it.each([
    ['NODE_LABELS', 'zone,"rack"'],
    ['NODE_NAME', 'metadata:"host"'],
    ['METADATA', 'role="kubernetes",zone=a'],
    ['METADATA', `role in ('a', 'b')`],
    ['OWNER_ID', '"blue'],
  ])('is refused in a part of it: %s=%s', (name, value) => {
    expect(mistakes({ [name]: value })).toEqual([expect.stringContaining(problem)]);
  });

  it('is refused as a flag', () => {
    expect(mistakes({}, ['-metadata="role=kubernetes"'])).toEqual([`-metadata="\\"role=kubernetes\\"": ${problem}`]);
  });
});
