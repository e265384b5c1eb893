import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanLabel, nodeNameProblem } from '../../../src/kubernetes/names.ts';

/** As API servers print them in their refusals. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const KEY_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

describe('a node name', () => {
  it.each(['10.0.0.1', 'node-a.example.com', 'a', '0', 'x'.repeat(253), 'a.b-c.d'])('%s is taken', (name) => {
    expect(nodeNameProblem(name)).toBeUndefined();
  });

  it.each([
    ['', 'a node name cannot be empty'],
    ['fd00::1', 'IPv6 addresses cannot be node names'],
    ['::ffff:10.0.0.1', 'IPv6 addresses cannot be node names'],
    ['UPPER', 'upper-case letters are not allowed'],
    ['with space', '" " is not allowed, only lower-case letters, digits, "-" and "." are'],
    ['a/b', '"/" is not allowed, only lower-case letters, digits, "-" and "." are'],
    ['under_score', '"_" is not allowed, only lower-case letters, digits, "-" and "." are'],
    ['line\nbreak', '"\\n" is not allowed, only lower-case letters, digits, "-" and "." are'],
    ['ünode', '"ü" is not allowed, only lower-case letters, digits, "-" and "." are'],
    ['-lead', 'each part between dots must begin and end with a letter or a digit'],
    ['trail-', 'each part between dots must begin and end with a letter or a digit'],
    ['a..b', 'each part between dots must begin and end with a letter or a digit'],
    ['a.-b', 'each part between dots must begin and end with a letter or a digit'],
    ['.', 'each part between dots must begin and end with a letter or a digit'],
    ['..', 'each part between dots must begin and end with a letter or a digit'],
    ['node\n', '"\\n" is not allowed, only lower-case letters, digits, "-" and "." are'],
    ['x'.repeat(254), 'it has 254 characters; at most 253 are allowed'],
  ])('%j is refused: %s', (name, problem) => {
    expect(nodeNameProblem(name)).toBe(problem);
  });

  it('is taken exactly when the API server would take it', () => {
    const nearMiss = fc.string({
      unit: fc.constantFrom('a', 'z', '0', '9', '-', '.', 'A', '_', ':', '\n'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.oneof(nearMiss, fc.string({ unit: 'binary', maxLength: 300 })), (name) => {
        expect(nodeNameProblem(name) === undefined).toBe(name.length <= 253 && SUBDOMAIN.test(name));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a label made of a metadata pair', () => {
  it.each([
    ['role', 'worker', 'role', 'worker'],
    ['role', '', 'role', ''],
    ['disk type', 'solid state', 'disk-type', 'solid-state'],
    ['_zone_', '-eu-west-', 'zone', 'eu-west'],
    ['rack', 'A/12', 'rack', 'A-12'],
    ['example.com/rack', '12', 'example.com/rack', '12'],
    ['example.com/a/b', '12', 'example.com/a-b', '12'],
    ['Größe', 'groß', 'Gr--e', 'gro'],
    ['smile', 'a😀b', 'smile', 'a-b'],
    ['k', 'v'.repeat(63), 'k', 'v'.repeat(63)],
    ['k', ` ${'v'.repeat(63)} `, 'k', 'v'.repeat(63)],
  ])('of %j=%j is %s=%s', (key, value, cleanKey, cleanValue) => {
    expect(cleanLabel(key, value)).toEqual({ key: cleanKey, value: cleanValue });
  });

  it.each([
    ['', 'x', 'the key "" has no letter or digit'],
    ['--', 'x', 'the key "--" has no letter or digit'],
    ['example.com/', 'x', 'the key "example.com/" has no letter or digit'],
    ['/rack', 'x', 'the prefix of the key "/rack" is not a DNS name: it is empty'],
    [
      'Example.com/rack',
      'x',
      'the prefix of the key "Example.com/rack" is not a DNS name: upper-case letters are not allowed',
    ],
    ['kube-register.io/keep', 'true', 'keys that begin with kube-register.io/ are reserved for kube-register'],
    ['k', 'v'.repeat(64), /^the value "v+" has 64 characters as a label; at most 63 are allowed$/],
    ['k'.repeat(64), 'v', /^the key "k+" has 64 characters as a label; at most 63 are allowed$/],
    [`${'p'.repeat(254)}/k`, 'v', /is not a DNS name: it has 254 characters; at most 253 are allowed$/],
  ])('cannot be of %j=%j', (key, value, problem) => {
    expect(cleanLabel(key, value)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it('always has the syntax of a label, and is not changed when it is cleaned again', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'Z', '5', '-', '_', '.', '/', ' ', 'ü', '\n'), maxLength: 70 }),
      fc.string({ unit: 'binary', maxLength: 70 }),
    );
    fc.assert(
      fc.property(text, text, (key, value) => {
        const label = cleanLabel(key, value);
        if ('problem' in label) return;
        const [name = '', prefix] = label.key.split('/').reverse();
        expect(name).toMatch(KEY_NAME);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(prefix ?? 'absent').toMatch(SUBDOMAIN);
        expect(label.value).toMatch(VALUE);
        expect(label.value.length).toBeLessThanOrEqual(63);
        expect(cleanLabel(label.key, label.value)).toEqual(label);
      }),
      { numRuns: 2000 },
    );
  });

  it('is made in time however long the pair is', () => {
    expect(cleanLabel('k', `a${'-'.repeat(200_000)}b`)).toHaveProperty('problem');
  });
});
