/** What is expected of an API server, by what it says of itself. */
import { describe, expect, it } from 'vitest';
import { type ApiVersion, eraOf } from '../../../src/kubernetes/era.ts';

function era(version: string | undefined, apiVersion: ApiVersion = 'v1') {
  return eraOf({ version, apiVersion });
}

describe('an era', () => {
  it.each(['v0.2+', 'v0.4.4', 'v0.5.6', 'v0.8.4'])('of %s hides minions, and changes none', (version) => {
    expect(era(version, 'v1beta1')).toMatchObject({ hidesMinions: true, canUpdate: false });
  });

  it.each(['v0.9.0', 'v0.9.3', 'v0.12.2', 'v0.12.0-dev'])('of %s hides none, and changes none', (version) => {
    expect(era(version, 'v1beta2')).toMatchObject({ hidesMinions: false, canUpdate: false });
  });

  it.each([
    ['v0.12.2', 'v1beta2', false],
    ['v0.19.3', 'v1', false],
    ['v1.0.7', 'v1', true],
    ['v1.20.2', 'v1', true],
    [undefined, 'v1', true],
    ['v0.0.0-master+$Format:%h$', 'v1', true],
  ] as const)('of %s in %s takes a condition False for a report of the kubelet: %s', (version, apiVersion, reports) => {
    expect(era(version, apiVersion).falseIsReporting).toBe(reports);
  });

  it('is as able as another when both can do the same, whatever they call themselves', () => {
    const abilities = (version: string | undefined, apiVersion: ApiVersion = 'v1') =>
      era(version, apiVersion).abilities;
    expect(abilities('v1.20.1')).toBe(abilities('v1.20.2'));
    expect(abilities('v1.19.9')).toBe(abilities('v1.20.2'));
    expect(abilities('v1.5.8')).toBe(abilities('v1.9.2'));
    expect(new Set(['v0.4.4', 'v0.5.6', 'v0.8.4', 'v0.9.3', 'v0.13.2'].map((v) => abilities(v, 'v1beta1'))).size).toBe(
      5,
    );
    expect(abilities('v0.19.3')).not.toBe(abilities('v1.0.7'));
  });

  it.each(['v0.13.2', 'v0.17.1', 'v1.0.7-release-1.0+$Format:%h$', 'v1.20.2', 'v1.9.2', 'v1.34.0+k3s1', '2.0'])(
    'of %s hides none',
    (version) => {
      expect(era(version)).toMatchObject({ hidesMinions: false, canUpdate: true });
    },
  );

  it.each([
    ['v0.17.1', false],
    ['v1.9.2', false],
    ['v1.19.16', false],
    ['v1.20.2', true],
    ['v1.34.1', true],
    ['v2.0.0', true],
  ])('of %s looks at the uid of a patch: %s', (version, checks) => {
    expect(era(version).checksUid).toBe(checks);
  });

  it('of a server that does not tell its version is as old as the API version', () => {
    expect(era(undefined, 'v1')).toMatchObject({ hidesMinions: false, checksUid: false });
    expect(era(undefined, 'v1beta3').hidesMinions).toBe(false);
    expect(era(undefined, 'v1beta2').hidesMinions).toBe(true);
    expect(era('garbage', 'v1beta1').hidesMinions).toBe(true);
  });

  it.each(['v0.0.0-master+$Format:%h$', 'v0.0.0-master+faecb196815e2'])(
    'of a build from plain source, which calls itself %s, is as old as the API version',
    (version) => {
      expect(era(version, 'v1')).toMatchObject({ hidesMinions: false, checksUid: false });
      expect(era(version, 'v1').takesLabel('a.b')).toBe(true);
      expect(era(version, 'v1beta1').hidesMinions).toBe(true);
    },
  );

  it('that speaks v1 hides no minions, whatever it calls itself', () => {
    expect(era('v0.8.4', 'v1').hidesMinions).toBe(false);
  });

  it('names the version and the API version', () => {
    expect(era('v0.8.4', 'v1beta2').server).toBe('v0.8.4, using API v1beta2');
    expect(era(undefined).server).toBe('of an unknown version, using API v1');
  });
});

describe('a label key', () => {
  it.each([
    ['role', ['v0.5.6', 'v0.8.4', 'v0.13.2', 'v1.20.2']],
    ['machine-id', ['v0.5.6', 'v0.8.4', 'v0.13.2', 'v1.20.2']],
    ['kube-register.io/managed', ['v0.8.4', 'v0.13.2', 'v1.20.2']],
    ['a.b', ['v0.13.2', 'v1.20.2']],
    ['machine_id', ['v0.13.2', 'v1.20.2']],
    ['Machine', ['v0.13.2', 'v1.20.2']],
    ['k'.repeat(24), ['v0.5.6', 'v0.8.4', 'v0.13.2', 'v1.20.2']],
    ['k'.repeat(63), ['v0.8.4', 'v0.13.2', 'v1.20.2']],
  ])('%s is kept by %j', (key, keepers) => {
    const versions = ['v0.2+', 'v0.4.4', 'v0.5.6', 'v0.8.4', 'v0.13.2', 'v1.20.2'];
    expect(versions.filter((version) => era(version).takesLabel(key))).toEqual(keepers);
  });
});
