/** What we write on a node, and what others write there: the names are a contract with every node that bears them. */
import { describe, expect, it } from 'vitest';
import * as marks from '../../../../src/reconcile/evidence/marks.ts';

const { isKept, MACHINE_ID, markOf, ORIGIN, OWNER, otherOwnerOf } = marks;

const annotated = (annotations: Record<string, string>) => ({ annotations: new Map(Object.entries(annotations)) });

it('the marks have the names under which nodes bear them already', () => {
  expect(Object.fromEntries(Object.entries(marks).filter(([, value]) => typeof value === 'string'))).toEqual({
    MACHINE_ID: 'kube-register.io/machine-id',
    ADDRESS: 'kube-register.io/address',
    SINCE: 'kube-register.io/since',
    ORIGIN: 'kube-register.io/origin',
    OWNER: 'kube-register.io/owner',
    LABELS: 'kube-register.io/labels',
    MANAGED: 'kube-register.io/managed',
    DEFAULT_OWNER: 'default',
  });
});

describe('a mark', () => {
  it.each([
    ['is ours when it names our owner', { [OWNER]: 'east' }, 'east', undefined],
    ['of a release that wrote no owner is that of `default`', {}, 'default', undefined],
    ['with an empty owner is that of `default`', { [OWNER]: '' }, 'default', undefined],
    ['of another owner is none of ours', { [OWNER]: 'west' }, 'east', 'west'],
    ['of a release that wrote no owner is none of ours where OWNER_ID is set', {}, 'east', 'default'],
  ])('%s', (_, annotations, ownerId, other) => {
    const node = annotated({ [MACHINE_ID]: 'a', ...annotations });
    expect([markOf(node, ownerId)?.machineId, otherOwnerOf(node, ownerId)]).toEqual([
      other === undefined ? 'a' : undefined,
      other,
    ]);
  });

  it('without a machine id is none, whoever wrote the owner', () => {
    for (const node of [annotated({ [OWNER]: 'west' }), annotated({ [OWNER]: 'west', [MACHINE_ID]: '' })]) {
      for (const ownerId of ['east', 'west']) {
        expect([markOf(node, ownerId), otherOwnerOf(node, ownerId)]).toEqual([undefined, undefined]);
      }
    }
  });

  it.each([
    ['named', 'named'],
    ['own-name', 'own-name'],
    ['something else', undefined],
  ])('with the origin %j: %s', (written, origin) => {
    expect(markOf(annotated({ [MACHINE_ID]: 'a', [ORIGIN]: written }), 'default')).toEqual({
      machineId: 'a',
      address: '',
      origin,
    });
  });
});

describe('a veto', () => {
  const KEEP = 'kube-register.io/keep';
  it.each([
    ['true', true],
    ['yes', true],
    ['', true],
    ['false', false],
  ])('of the value %j: %s, as annotation and as label', (value, expected) => {
    const other = new Map<string, string>();
    const set = new Map([[KEEP, value]]);
    expect([isKept({ labels: other, annotations: set }), isKept({ labels: set, annotations: other })]).toEqual([
      expected,
      expected,
    ]);
  });
});
