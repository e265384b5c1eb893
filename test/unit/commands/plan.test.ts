/** The plan as data and as text: what waits is shown, what is many is counted. */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { planDocument } from '../../../src/commands/plan.ts';
import { planText } from '../../../src/commands/plan-text.ts';
import { Terminal } from '../../../src/commands/terminal/terminal.ts';
import { eraOf } from '../../../src/kubernetes/era.ts';
import { machine, type World } from '../reconcile/world.ts';
import { goodPass } from '../status/pass-report.ts';
import { statusAfter } from '../status/status-after.ts';

const stdout = new Writable();
const terminal = new Terminal({ stdout, stderr: stdout, env: {} });

/** So many machines, the kubelet of the last of which is unreachable. */
function machines(count: number): World {
  const all = Array.from({ length: count }, (_, at) => machine(`m${at}`, `10.0.0.${at + 1}`));
  const kubelets = all.map(({ address }, at) => [address, at === count - 1 ? 'silent' : 'healthy'] as const);
  return { machines: all, nodes: [], kubelets: Object.fromEntries(kubelets) };
}

function planOf(world: World) {
  const pass = goodPass(world);
  return planDocument(pass.seen, statusAfter(pass));
}

describe('the plan', () => {
  it('shows a machine that only waits, and counts it at the end', () => {
    const text = planText(planOf(machines(1)), false, terminal);
    expect(text).toMatch(/^! machine m0: waiting: .*; will be registered once its kubelet is healthy$/m);
    expect(text.split('\n').at(-1)).toBe('Nothing to do. Not changed: 1 waiting.');
  });

  it('lists what each of a few steps writes, and only the first of many, with the count', () => {
    expect(planText(planOf(machines(3)), false, terminal).match(/^ +\+ annotation \S+machine-id=/gm)).toHaveLength(2);
    const lines = planText(planOf(machines(14)), false, terminal).split('\n');
    expect(lines.filter((line) => line.startsWith('+ register node')).length).toBe(10);
    expect(lines).toContain('  ... 3 more to register (all of them: kube-register plan -o wide)');
    expect(lines.at(-1)).toBe(
      '0 to deregister, 13 to register, 0 to adopt, 0 to update. Not changed: 1 waiting. This command changed nothing.',
    );
    const wide = planText(planOf(machines(14)), true, terminal);
    expect(wide.match(/^ +\+ annotation \S+machine-id=/gm)).toHaveLength(13);
  });

  it('keeps the indent of a line that it breaks in a window', () => {
    const window = Object.assign(new Writable(), { isTTY: true, columns: 60 });
    const narrow = new Terminal({ stdout: window, stderr: window, env: { NO_COLOR: '1' } });
    const plan = planOf(machines(2));
    const [step] = plan.steps;
    const annotations = { note: 'every word of a long note '.repeat(3).trim() };
    const steps = step === undefined ? [] : [{ ...step, annotations }];
    expect(planText({ ...plan, steps, watched: [] }, false, narrow).split('\n')).toEqual([
      '+ register node 10.0.0.1 of machine m0: its kubelet is',
      '  healthy and it has no node; node name: 10.0.0.1',
      expect.stringContaining('    + label '),
      '    + annotation note=every word of a long note every word',
      '      of a long note every word of a long note',
      '0 to deregister, 1 to register, 0 to adopt, 0 to update.',
      '  This command changed nothing.',
    ]);
  });

  it('lists no annotations that the API server drops, and says so', () => {
    const { steps, notes } = planOf({ ...machines(2), era: eraOf({ version: 'v0.2+', apiVersion: 'v1beta1' }) });
    expect(steps).toMatchObject([{ kind: 'register', annotations: {} }]);
    expect(notes).toEqual(['the API server (v0.2+, using API v1beta1) keeps no annotations, so none are listed']);
  });
});
