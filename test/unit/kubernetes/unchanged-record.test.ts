/** Records that a list repeats: equal to what was read, and made of what is known. */
import { describe, expect, it } from 'vitest';
import type { NodeRecord } from '../../../src/kubernetes/registry.ts';
import { unchangedRecord } from '../../../src/kubernetes/unchanged-record.ts';

const record = (change: Partial<NodeRecord> = {}): NodeRecord => ({
  name: '10.0.0.1',
  uid: 'u1',
  resourceVersion: '7',
  labels: new Map([['a', '1']]),
  annotations: new Map([['b', '2']]),
  leaving: undefined,
  facts: { machineId: 'm1', addresses: ['10.0.0.1'], ready: 'true', unschedulable: false },
  ...change,
});

describe('a record that a list repeats', () => {
  it('is the one before when nothing differs', () => {
    const before = record();
    expect(unchangedRecord(before, record())).toBe(before);
  });

  it('keeps the equal parts when the kubelet has posted', () => {
    const before = record();
    const now = unchangedRecord(before, record({ resourceVersion: '8' }));
    expect(now).toEqual(record({ resourceVersion: '8' }));
    expect([now.labels, now.annotations, now.facts]).toEqual([before.labels, before.annotations, before.facts]);
    expect(now.annotations).toBe(before.annotations);
  });

  it.each<[string, Partial<NodeRecord>]>([
    ['another node', { uid: 'u2' }],
    ['one with another label', { labels: new Map([['a', '2']]) }],
    ['one without labels', { labels: new Map() }],
    ['one with an annotation more', { annotations: new Map([...record().annotations, ['c', '3']]) }],
    ['one with another key', { annotations: new Map([['c', '2']]) }],
    ['one that is being deleted', { leaving: { since: '2020-01-01T00:00:00Z', finalizers: [] } }],
    ['one of which only metadata is known', { facts: undefined }],
    [
      'one that is not ready',
      { facts: { machineId: 'm1', addresses: ['10.0.0.1'], ready: 'false', unschedulable: false } },
    ],
    [
      'one that is cordoned',
      { facts: { machineId: 'm1', addresses: ['10.0.0.1'], ready: 'true', unschedulable: true } },
    ],
    [
      'one at another address',
      { facts: { machineId: 'm1', addresses: ['10.0.0.2'], ready: 'true', unschedulable: false } },
    ],
    [
      'one with two addresses',
      { facts: { machineId: 'm1', addresses: ['10.0.0.1', '10.0.0.2'], ready: 'true', unschedulable: false } },
    ],
    [
      'one with another machine ID',
      { facts: { machineId: 'm2', addresses: ['10.0.0.1'], ready: 'true', unschedulable: false } },
    ],
  ])('is what was read of %s', (_what, change) => {
    expect(unchangedRecord(record(), record(change))).toEqual(record(change));
    expect(unchangedRecord(record(change), record())).toEqual(record());
  });
});
