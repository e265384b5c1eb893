/** The comparator behind the lab's contract tells every difference, and only those. */
import { describe, expect, it } from 'vitest';
import { differences, MadeValues, type Tolerance } from '../../lab/contract.ts';
import type { RecordedResponse } from '../../lab/recording.ts';

const TOLERANCE: Tolerance = {
  headers: ['content-type'],
  made: new Set(['uid']),
  loose: new Set(['time']),
  ignored: new Set(['managedFields']),
};

function response(body: unknown, { status = 200, type = 'application/json' } = {}): RecordedResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: { 'content-type': type, date: 'whenever' }, body: text };
}

function compare(recorded: RecordedResponse, lab: RecordedResponse, made = new MadeValues()): string[] {
  return differences(recorded, lab, made, TOLERANCE);
}

describe('the comparator', () => {
  it('finds nothing between equal answers, whatever the order of their members', () => {
    expect(compare(response({ a: 1, b: [null, 'x'] }), response({ b: [null, 'x'], a: 1 }))).toEqual([]);
  });

  it('names the status and the header that differ, with both values', () => {
    expect(compare(response('ok'), response('ok', { status: 404, type: 'text/plain' }))).toEqual([
      'status: recorded 200, lab 404',
      'header content-type: recorded "application/json", lab "text/plain"',
    ]);
  });

  it('names the place of a value that differs', () => {
    const recorded = response({ items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] });
    const lab = response({ items: [{ metadata: { name: 'a' } }, { metadata: { name: 'c' } }] });
    expect(compare(recorded, lab)).toEqual(['body.items[1].metadata.name: recorded "b", lab "c"']);
  });

  it('tells what only one of them has', () => {
    expect(compare(response({ a: 1 }), response({ b: null }))).toEqual([
      'body.a: recorded 1, lab nothing',
      'body.b: recorded nothing, lab null',
    ]);
  });

  it('tells a list from an object, null from a list, and a number from its text', () => {
    const recorded = response({ a: [], b: [], c: 1 });
    const lab = response({ a: {}, b: null, c: '1' });
    expect(compare(recorded, lab)).toEqual([
      'body.a: recorded [], lab {}',
      'body.b: recorded [], lab null',
      'body.c: recorded 1, lab "1"',
    ]);
  });

  it('tells that a list is shorter or longer', () => {
    expect(compare(response([1, 2]), response([1]))).toEqual(['body.length: recorded 2, lab 1']);
    expect(compare(response([1]), response([1, 2]))).toEqual(['body.length: recorded 1, lab 2']);
  });

  it('compares what is not JSON as text', () => {
    expect(compare(response('ok'), response('OK'))).toEqual(['body: recorded "ok", lab "OK"']);
  });

  it('lets a loose value differ, but not its type', () => {
    expect(compare(response({ time: 'then' }), response({ time: 'now' }))).toEqual([]);
    expect(compare(response({ time: 'then' }), response({ time: 5 }))).toEqual(['body.time: recorded "then", lab 5']);
  });

  it('passes over what the lab leaves out', () => {
    expect(compare(response({ managedFields: [1] }), response({}))).toEqual([]);
  });
});

describe('values that a server makes up', () => {
  it('may differ as long as the same one stays the same', () => {
    const made = new MadeValues();
    expect(compare(response({ uid: 'r1' }), response({ uid: 'l1' }), made)).toEqual([]);
    expect(compare(response({ uid: 'r1' }), response({ uid: 'l1' }), made)).toEqual([]);
    expect(compare(response({ uid: 'r1' }), response({ uid: 'l2' }), made)).toEqual([
      'body.uid: recorded "r1" is not always the lab\'s "l2"',
    ]);
  });

  it('may not be the same where the recorded ones differ', () => {
    const recorded = response([{ uid: 'r1' }, { uid: 'r2' }]);
    expect(compare(recorded, response([{ uid: 'l1' }, { uid: 'l1' }]))).toEqual([
      'body[1].uid: recorded "r2" is not always the lab\'s "l1"',
    ]);
  });

  it("are the lab's own in the requests that follow", () => {
    const made = new MadeValues();
    made.pair('uid', 'r1', 'l1');
    made.pair('name', 'n-abc', 'n-xyz');
    made.pair('continue', 'next', 'weiter');
    const request = {
      method: 'DELETE',
      path: '/api/v1/nodes/n-abc?continue=next',
      headers: {},
      body: { preconditions: { uid: 'r1', other: 'r1' } },
    };
    expect(made.translate(request)).toEqual({
      method: 'DELETE',
      path: '/api/v1/nodes/n-xyz?continue=weiter',
      headers: {},
      body: { preconditions: { uid: 'l1', other: 'r1' } },
    });
  });
});
