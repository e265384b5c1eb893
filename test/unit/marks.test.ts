/** What we write on a node: the names are a contract with every node that bears them. */
import { expect, it } from 'vitest';
import * as marks from '../../src/reconcile/marks.ts';

it('the marks have the names under which nodes bear them already', () => {
  expect(Object.fromEntries(Object.entries(marks).filter(([, value]) => typeof value === 'string'))).toEqual({
    MACHINE_ID: 'kube-register.io/machine-id',
    ADDRESS: 'kube-register.io/address',
    SINCE: 'kube-register.io/since',
    LABELS: 'kube-register.io/labels',
    MANAGED: 'kube-register.io/managed',
  });
});
