import { describe, expect, it } from 'vitest';
import type { Status } from '../../../../src/status/document.ts';
import { atOnce } from '../../../../src/time/steps.ts';
import { ASSETS } from '../../../../src/web/page/assets.ts';
import { hostCheck } from '../../../../src/web/page/hosts.ts';
import { html } from '../../../../src/web/page/html.ts';
import { pageTexts, type View, viewSteps } from '../../../../src/web/page/render.ts';
import { aMachine, aNode, aPastAction, aStatus, EVIDENCE, INACTIVE, NOW } from '../../status/status-sketch.ts';

const renderView = (status: Status, before?: View) => atOnce(viewSteps(status, before));
const page = (status: Status) => [...pageTexts(renderView(status), 'v1')].join('');

/** What a reader without a script and a style has before them. */
function textOf(source: string): string {
  return source
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

describe('a template', () => {
  it('escapes what is put into it, and not what a template made', () => {
    expect(html`<b title="${'"'}">${'<i>'} ${html`<i>${"'&"}</i>`} ${[html`<br>`, html`<hr>`]} ${7}</b>`.text).toBe(
      '<b title="&#34;">&#60;i&#62; <i>&#39;&#38;</i> <br><hr> 7</b>',
    );
  });
});

describe('the page', () => {
  it('says before the first pass that nothing is known, and shows no row', () => {
    const source = page(
      aStatus({ counts: null, pass: { number: 0, running: true, last: null, lastSuccess: null, next: null } }),
    );
    expect(textOf(source)).toContain('No status yet: the first pass is running.');
    expect(textOf(source)).toContain('fleet not contacted yet');
    expect(source).not.toContain('<tr data-key');
  });

  it('says without a script all that there is to say, with its times in UTC', () => {
    const source = page(
      aStatus({
        machines: [
          aMachine({
            id: 'abc',
            addresses: ['10.0.0.7'],
            metadata: { role: 'kubernetes', rack: 'r1' },
            kubelet: { state: 'silent', detail: 'nothing at all', since: '2026-01-02T00:00:30.000Z' },
            node: 'seven',
          }),
        ],
        nodes: [
          aNode({
            name: 'seven',
            machine: 'abc',
            origin: 'adopted',
            managedSince: '2026-01-01T10:00:00.000Z',
            verdict: 'in-grace',
            reason: 'not alive for 5m of 30m',
            since: '2026-01-02T00:01:00.000Z',
            next: 'will be deregistered in 25m',
            due: '2026-01-02T00:26:00.000Z',
          }),
        ],
        history: [
          aPastAction({
            at: '2026-01-01T10:00:00.000Z',
            kind: 'adopt',
            node: 'seven',
            machine: 'abc',
            reason: 'it is the node of the machine at 10.0.0.7',
          }),
        ],
      }),
    );
    const said = textOf(source);
    for (const words of [
      '1 node is not alive: it will be deregistered in 21m unless it recovers.',
      'in-grace 2026-01-02 00:01:00 10.0.0.7 abc seven Unknown unreachable',
      'at 2026-01-02 00:26:00 : will be deregistered not alive for 5m of 30m rack=r1 ',
      '2026-01-01 10:00:00 adopted seven it is the node of the machine at 10.0.0.7',
      'times in UTC',
      '1 in total 1 in-grace',
      'fleet reachable 2026-01-01 00:00:00 unix:///var/run/fleet.sock',
    ]) {
      expect(said).toContain(words);
    }
    expect(source).toContain('<time datetime="2026-01-02T00:26:00Z" data-form="due">at 2026-01-02 00:26:00</time>');
    expect(source).not.toMatch(/ on\w+=|style=|<script>|javascript:/);
  });

  it('shows a machine without a node, and a node without a machine', () => {
    const said = textOf(
      page(
        aStatus({
          machines: [aMachine({ id: 'm', addresses: [], verdict: 'unusable', reason: 'no address' })],
          nodes: [aNode({ name: 'n', machine: null, origin: 'unmarked', evidence: null, verdict: 'foreign' })],
        }),
      ),
    );
    expect(said).toContain('unusable 2026-01-01 00:00:00 no address m none not checked no address');
    expect(said).toContain('foreign 2026-01-01 00:00:00 no address n not checked');
  });

  it('says first what came of an action, since the rest of a cell may be cut', () => {
    const next = 'could not be registered: answered 500';
    const failed = aMachine({ id: 'm', verdict: 'register', warning: true, reason: 'its kubelet is healthy', next });
    const source = page(aStatus({ machines: [failed] }));
    expect(textOf(source)).toContain(`${next} its kubelet is healthy`);
    expect(source).toContain('data-verdict="register" data-concern="trouble"');
  });

  it('calls a server slow and failing', () => {
    const { fleet, kubernetes } = aStatus();
    const said = textOf(
      page(aStatus({ fleet: { ...fleet, up: false }, kubernetes: { ...kubernetes, slowMs: 8_000 } })),
    );
    expect(said).toContain('fleet failing ');
    expect(said).toContain('API server slow an answer took 8s; http://127.0.0.1:8080');
  });

  it('has trouble first, then what is to be looked at, then what is well, each by its address', () => {
    const machine = (address: string, verdict: string) => aMachine({ id: address, addresses: [address], verdict });
    const { rows } = renderView(
      aStatus({
        machines: [
          machine('10.0.0.10', 'has-node'),
          machine('10.0.0.9', 'has-node'),
          machine('10.0.0.3', 'not-selected'),
          machine('10.0.0.4', 'waiting'),
          machine('10.0.0.5', 'conflict'),
        ],
      }),
    );
    expect([...rows.keys()]).toEqual([5, 4, 9, 10, 3].map((last) => `machine "10.0.0.${last}"`));
  });

  it('shows warnings below its first sentence, the first five', () => {
    const said = textOf(page(aStatus({ warnings: ['one', 'two', 'three', 'four', 'five', 'six', 'seven'] })));
    expect(said).toContain('One (and 6 more warnings). one two three four five and 2 more warnings ');
  });

  it('counts a verdict by its worst row, and says what it means', () => {
    const source = page(
      aStatus({
        nodes: [aNode({ name: 'a', verdict: 'foreign' }), aNode({ name: 'b', verdict: 'foreign', warning: true })],
      }),
    );
    expect(source).toContain('data-filter="verdict:foreign" title="Unmanaged, and no machine matches it');
    expect(source).toContain('<b class="mark watch">2</b> foreign');
    expect(source).toContain('<b class="mark idle" title="Unmanaged, and no machine matches it');
    expect(source).toContain('data-verdict="foreign" data-concern="watch"');
    expect(source).toContain('data-verdict="foreign" data-concern="idle"');
  });

  it('leaves out the metadata that the selector asks for, and names the whole ID and the other addresses in a title', () => {
    const source = page(
      aStatus({
        rules: { ...aStatus().rules, selector: 'role=kubernetes, zone in (a,b)' },
        machines: [
          aMachine({
            id: '0123456789abcdef',
            addresses: ['10.0.0.7', '10.1.0.7'],
            metadata: { role: 'kubernetes', zone: 'a', rack: 'r1' },
          }),
        ],
      }),
    );
    expect(source).toContain('<td data-words="role=kubernetes"><span>zone=a</span> <span>rack=r1</span> </td>');
    expect(source).toContain('title="machine 0123456789abcdef, 10.1.0.7"');
    expect(source).toContain('<a href="explain?machine=0123456789abcdef">10.0.0.7</a> <code>01234567</code>');
  });

  it('says of a node without a machine whether its machine has a row of its own', () => {
    const evidence = { ...EVIDENCE, kubelet: 'unasked' } as const;
    const source = page(
      aStatus({
        nodes: [
          aNode({ name: 'left', evidence }),
          aNode({ name: 'gone', evidence: { ...evidence, fleet: 'not-listed', node: 'false' } }),
        ],
      }),
    );
    expect(source).toContain('title="its machine has its own row"><a href="explain?node=left">');
    expect(source).toContain('title="missing from fleet"><a href="explain?node=gone">');
    expect(textOf(source)).toContain('gone NotReady not checked');
  });

  it('counts what was done alike: the registrations of a pass, and failures of one node', () => {
    const at = '2026-01-01T10:00:00.000Z';
    const said = textOf(
      page(
        aStatus({
          history: [
            aPastAction({ node: 'ill', result: 'failed', times: 4, firstAt: at, reason: 'answered 503' }),
            ...Array.from({ length: 25 }, (_, index) => aPastAction({ at, node: `n${index}`, inPass: 950 })),
          ],
        }),
      ),
    );
    expect(said).toContain('Last changes: could not register ill ×4 2026-01-02 00:05:00 registered 950 nodes 2026');
    expect(said).toContain('could not register ill ×4 , the first 2026-01-01 10:00:00 answered 503');
    expect(said).toContain('registered 950 nodes: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 940 more');
  });

  it('is titled with the name of the cluster', () => {
    expect(page(aStatus({ clusterName: 'blue' }))).toMatch(/<title[^>]*>All is well: .*\. blue<\/title>/);
    expect(page(aStatus({ clusterName: 'blue' }))).toContain('<span data-part="name">blue</span>');
  });

  it('says at its top that a run is dry', () => {
    expect(textOf(page(aStatus({ dryRun: true })))).toContain('Dry run: no node is changed;');
    expect(textOf(page(aStatus()))).not.toContain('Dry run');
  });

  it('makes the rows of a pass once', () => {
    const before = renderView(aStatus({ machines: [aMachine({ id: 'a' })] }));
    const during = renderView(aStatus({ machines: [aMachine({ id: 'b' })] }), before);
    expect(during.rows).toBe(before.rows);
    const pass = { ...aStatus().pass, number: 8 };
    expect(renderView(aStatus({ pass }), before).rows).not.toBe(before.rows);
  });

  it('has a style, a script and an icon, and names no other file', () => {
    const sources = [...page(aStatus()).matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source);
    expect(sources.toSorted()).toEqual(['icon.svg', 'metrics', 'page.css', 'page.js', 'status']);
    expect([...ASSETS.keys()].toSorted()).toEqual(['/icon.svg', '/page.css', '/page.js']);
  });
});

describe('hostile text', () => {
  const EVIL = `"><img src=x onerror=alert(1)>'</td></table></title><script>alert(2)</script>&lt;\u202e\u0000\r\n${'x'.repeat(9_000)}`;

  it('stays text wherever it stands', () => {
    const calm = page(
      aStatus({
        machines: [aMachine({ id: 'a', node: 'n', metadata: { role: 'kubernetes' } })],
        nodes: [aNode({ name: 'n', machine: 'a' })],
        history: [aPastAction({ node: 'n', machine: 'a', reason: 'healthy' })],
      }),
    );
    const source = page(
      aStatus({
        clusterName: EVIL,
        rules: { ...aStatus().rules, selector: EVIL, neverDeregister: EVIL },
        fleet: { endpoint: EVIL, up: false, since: NOW, problem: EVIL, slowMs: null },
        kubernetes: { endpoint: EVIL, up: true, since: NOW, problem: EVIL, slowMs: null, server: EVIL },
        guard: {
          ...INACTIVE,
          held: true,
          since: NOW,
          message: EVIL,
          kind: 'mass',
          gone: 7,
          managed: 12,
          nodes: [EVIL],
        },
        warnings: [EVIL, EVIL],
        machines: [
          aMachine({
            id: EVIL,
            addresses: [EVIL, EVIL],
            metadata: { [EVIL]: EVIL },
            kubelet: { state: 'silent', detail: EVIL, since: NOW },
            reason: EVIL,
            next: EVIL,
            node: EVIL,
          }),
        ],
        nodes: [
          aNode({ name: EVIL, mark: EVIL, otherOwner: EVIL, managedSince: EVIL, machine: EVIL, reason: EVIL }),
          aNode({ name: `${EVIL} other`, machine: null }),
        ],
        history: [aPastAction({ node: EVIL, machine: EVIL, result: 'failed', reason: EVIL })],
      }),
    );
    const tags = (text: string) => [...text.matchAll(/<[a-z][a-z0-9]*/gi)].map(([tag]) => tag);
    expect(tags(source).filter((tag) => !tags(calm).includes(tag))).toEqual([]);
    for (const once of ['<script', '</script', '</title', '</table']) expect(source.split(once)).toHaveLength(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(textOf(source).match(/[\u0000\r\u202e]/)).toBeNull();
  });

  it('is cut where it is shown, however much of it there is', () => {
    const metadata = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key${index}`, EVIL]));
    const source = page(
      aStatus({ machines: [aMachine({ id: 'a', addresses: Array(100).fill('10.0.0.1'), metadata })] }),
    );
    expect(source.length).toBeLessThan(page(aStatus()).length + 3_000);
    expect(textOf(source)).toContain('and 992 more');
  });
});

describe('the name under which the page is opened', () => {
  const check = hostCheck({ listen: 'Page.internal', hostname: 'core-1', pageHosts: ['nodes.example.com'] });

  it.each([
    '127.0.0.1:10271',
    '10.0.0.1',
    '[::1]:10271',
    '[fe80::1]',
    'localhost:8001',
    'kube-register',
    'core-1:10271',
    'CORE-1',
    'anything.localhost',
    'page.internal:80',
    'nodes.example.com',
    'NODES.example.com.:443',
  ])('may be %s', (host) => {
    expect(check(host)).toBeUndefined();
  });

  it.each([
    'evil.example',
    'nodes.example.com.evil.example',
    'core-1.evil.example',
    'localhost.evil.example:10271',
    '127.0.0.1.evil.example',
    'x@127.0.0.1:80',
    '[evil.example]',
    '10.0.0.1/evil.example',
    'a b.c',
  ])('may not be %s, and who asks is told what to set', (host) => {
    expect(check(host)).toEqual({
      status: 421,
      message: expect.stringContaining('add it to KUBE_REGISTER_PAGE_HOSTS'),
    });
  });

  it.each([undefined, ''])('has to be told (%j)', (host) => {
    expect(check(host)).toEqual({ status: 400, message: 'the request has no Host header' });
  });
});
