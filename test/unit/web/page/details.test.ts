import { describe, expect, it } from 'vitest';
import type { Status } from '../../../../src/status/document.ts';
import { atOnce } from '../../../../src/time/steps.ts';
import { detailsSteps } from '../../../../src/web/page/details.ts';
import { aMachine, aNode, aPastAction, aStatus, EVIDENCE } from '../../status/status-sketch.ts';

const renderDetailsPage = (status: Status, query: string) => atOnce(detailsSteps(status, query));

const EVIL = `"><img src=x onerror=alert(1)>'</dd></main></title><script>alert(2)</script>&lt;\u202e\u0000`;

function textOf(source: string): string {
  return source
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

describe('the page about a machine', () => {
  const status = aStatus({
    machines: [
      aMachine({
        id: 'abc',
        addresses: ['10.0.0.7', '10.1.0.7'],
        metadata: { role: 'kubernetes' },
        kubelet: { state: 'silent', detail: 'refused the connection', since: '2026-01-02T00:00:30.000Z' },
        node: 'seven',
      }),
    ],
    nodes: [
      aNode({
        name: 'seven',
        mark: 'abc',
        machine: 'abc',
        managedSince: '2026-01-01T10:00:00Z',
        evidence: EVIDENCE,
        verdict: 'in-grace',
        reason: 'not alive for 5m of 30m',
        next: 'deregistered in 25m',
        due: '2026-01-02T00:26:00.000Z',
      }),
      aNode({ name: 'alone', machine: null, mark: null, evidence: null, verdict: 'foreign' }),
    ],
    history: [aPastAction({ node: 'seven', machine: 'abc', kind: 'adopt' })],
  });

  it('says all that is known of it, without a script', () => {
    const { isFound, html } = renderDetailsPage(status, 'machine=abc');
    expect(isFound).toBe(true);
    const said = textOf(html);
    for (const words of [
      'machine abc, node seven in-grace',
      'not alive for 5m of 30m',
      'deregistered at 2026-01-02 00:26:00',
      'fleet lists it at 10.0.0.7, 10.1.0.7, with role=kubernetes',
      'unreachable, since 2026-01-02 00:00:30 : refused the connection',
      'managed for machine abc, since 2026-01-01 10:00:00',
      'means Not alive; its grace period is running',
      'kubectl describe node seven',
    ]) {
      expect(said).toContain(words);
    }
  });

  it('is about a node, where no machine is its own', () => {
    expect(textOf(renderDetailsPage(status, 'node=alone').html)).toContain('node alone foreign');
  });

  it('is the same by the name of its node', () => {
    expect(renderDetailsPage(status, 'node=seven')).toEqual(renderDetailsPage(status, 'machine=abc'));
  });

  it.each(['machine=nobody', 'node=eight', 'node=', 'abc', '', '%', 'machine=abc%00'])(
    'says of %j that there is no such row',
    (query) => {
      const { isFound, html } = renderDetailsPage(status, query);
      expect(isFound).toBe(false);
      expect(textOf(html)).toContain('There is no such machine or node');
    },
  );

  it('shows hostile text as text', () => {
    const hostile = aStatus({
      machines: [
        aMachine({ id: EVIL, addresses: [EVIL], metadata: { [EVIL]: EVIL }, reason: EVIL, next: EVIL, node: EVIL }),
      ],
      nodes: [
        aNode({
          name: EVIL,
          mark: EVIL,
          machine: EVIL,
          managedSince: `2026 (${EVIL})`,
          reason: EVIL,
          evidence: EVIDENCE,
        }),
      ],
    });
    const { isFound, html } = renderDetailsPage(hostile, new URLSearchParams({ machine: EVIL }).toString());
    expect(isFound).toBe(true);
    expect(html).not.toMatch(/<img|<script|javascript:/);
    for (const once of ['</main', '</title']) expect(html.split(once)).toHaveLength(2);
  });
});
