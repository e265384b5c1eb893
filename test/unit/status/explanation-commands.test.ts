/** The commands at the end of an explanation can be pasted: names are filled in, and quoted where they must be. */
import { describe, expect, it } from 'vitest';
import type { MachineStatus, NodeStatus, Status } from '../../../src/status/document.ts';
import { explain, lineText } from '../../../src/status/explanation.ts';
import { commandsFor, word } from '../../../src/status/explanation-commands.ts';
import { overviewOf } from '../../../src/status/overview.ts';
import { aMachine, aNode, aPastAction, aStatus, EVIDENCE, NOW } from './status-sketch.ts';

const MACHINE = aMachine({ id: 'f00', node: 'one', addresses: ['10.0.0.1'] });
const NODE = aNode({
  name: 'one',
  mark: 'f00',
  machine: 'f00',
  evidence: { ...EVIDENCE, alive: true, kubelet: 'healthy' },
});

function typed(machines: readonly MachineStatus[], nodes: readonly NodeStatus[], traits: Partial<Status> = {}) {
  const status = aStatus({ machines: [...machines], nodes: [...nodes], ...traits });
  return overviewOf(status).flatMap((row) => commandsFor(row, status).map(({ command }) => command));
}

describe('the commands for a row', () => {
  it('look at a node that is well', () => {
    expect(typed([MACHINE], [NODE])).toEqual([
      'kubectl describe node one',
      'fleetctl list-machines --full --no-legend | grep f00',
      'ssh core@10.0.0.1 journalctl -u kubelet -n 50 --no-pager',
      'kube-register status --watch one',
      'kubectl annotate node one kube-register.io/keep=true',
    ]);
  });

  it.each<[string, Partial<NodeStatus>, readonly string[]]>([
    ['that dies', { verdict: 'in-grace' }, ['kubectl delete node one']],
    ['that a person keeps', { veto: 'keep' }, ['kubectl annotate node one kube-register.io/keep-']],
    ['that is cordoned', { veto: 'cordoned' }, ['kubectl uncordon one']],
    [
      'that fleet lost',
      { verdict: 'orphan' },
      [
        'fleetctl list-machines --full --no-legend | grep f00',
        'etcdctl cluster-health',
        'ssh core@10.0.0.1 sudo systemctl restart fleet',
      ],
    ],
    ['whose machine no longer matches', { verdict: 'unmatched' }, ['ssh core@10.0.0.1 sudo systemctl stop kubelet']],
    [
      'whose verdict has a command',
      { next: 'kept; if it is not in use: kubectl delete node one; or wait' },
      ['kubectl delete node one'],
    ],
  ])('change the fate of a node %s', (_, traits, commands) => {
    expect(typed([MACHINE], [{ ...NODE, ...traits }])).toEqual(expect.arrayContaining([...commands]));
  });

  it('repeat the health check of a kubelet that is unreachable', () => {
    const detail = 'no answer: https://10.0.0.1:10250/healthz refused the connection';
    const machine = { ...MACHINE, kubelet: { state: 'silent', detail, since: null } } as const;
    expect(typed([machine], [NODE])).toEqual(
      expect.arrayContaining([
        'curl -sSk -m 5 https://10.0.0.1:10250/healthz',
        'ssh core@10.0.0.1 sudo systemctl restart kubelet',
      ]),
    );
  });

  it('do not delete a node that reports while its kubelet is unreachable, and say what to see to', () => {
    const node = { ...NODE, evidence: { ...EVIDENCE, alive: true, node: 'true' } } as const;
    expect(typed([MACHINE], [node]).join('\n')).not.toContain('delete');
    expect(typed([MACHINE], [{ ...node, verdict: 'probe-suspect' }])).toContain('kubectl delete node one');
    const status = aStatus({ machines: [MACHINE], nodes: [node] });
    const [told] = overviewOf(status).map((row) => explain(row, status));
    const rule = told?.sections.find(({ title }) => title === 'The rule')?.lines.map((line) => lineText(line, 0)) ?? [];
    expect(rule.slice(0, 2)).toEqual([
      'Its machine matches and the node is reporting, but its kubelet is unreachable. Kept.',
      'See whether its kubelet runs; if it does, correct HEALTHZ_URL or the firewall.',
    ]);
  });

  it('ask the API server how it is where a registration failed, and do not say that nothing is to be done', () => {
    const failed = aMachine({ id: 'f00', verdict: 'register', warning: true });
    expect(typed([failed], [])).toContain('kubectl get --raw /healthz');
    const status = aStatus({ machines: [failed] });
    const [told] = overviewOf(status).map((row) => explain(row, status));
    const rule = told?.sections.find(({ title }) => title === 'The rule')?.lines.map((line) => lineText(line, 0)) ?? [];
    expect(rule[0]).toBe('It could not be registered; this is tried again.');
    expect(rule[1]).toMatch(/^Repair what the API server answered/);
  });

  it('keep nothing on a server that takes no annotation, and where nothing is deregistered', () => {
    const { kubernetes, rules } = aStatus();
    const old = { kubernetes: { ...kubernetes, server: 'v0.8.4, using API v1beta2' } };
    const never = { rules: { ...rules, neverDeregister: 'POLICY=register-only' } };
    for (const traits of [old, never]) expect(typed([MACHINE], [NODE], traits).join('\n')).not.toContain('annotate');
  });

  it('quote what a shell would read, and leave out what no command can have', () => {
    expect(word("it's; rm -rf $HOME")).toBe("'it'\\''s; rm -rf $HOME'");
    const next = 'kept; if it is dead: kubectl delete node $(reboot)';
    expect(typed([MACHINE], [{ ...NODE, next }]).join('\n')).not.toContain('reboot');
    expect(typed([], [{ ...NODE, name: 'a b', machine: null }])).toContain("kubectl describe node 'a b'");
    for (const name of ['--all', 'a\nb', 'a\u202eb', '']) {
      expect(typed([], [{ ...NODE, name, machine: null }]).filter((line) => line.includes('kubectl'))).toEqual([]);
    }
  });

  it('end the explanation, which counts what was tried in vain', () => {
    const again = { times: 4, at: '2026-01-02T00:04:00.000Z', firstAt: '2026-01-02T00:01:00.000Z' };
    const history = [aPastAction({ node: 'one', kind: 'adopt', result: 'failed', reason: '403', ...again })];
    const status = aStatus({ machines: [MACHINE], nodes: [NODE], history });
    const [told] = overviewOf(status).map((row) => explain(row, status));
    expect(told?.commands.length).toBe(5);
    const lines = told?.sections.find(({ title }) => title === 'What was done')?.lines ?? [];
    expect(lines.map((line) => lineText(line, Date.parse(NOW)))).toEqual([
      '1m ago (4 times, first 4m ago): adopt, failed: 403',
    ]);
  });
});
