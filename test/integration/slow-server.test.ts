/** An API server that is slow: the daemon measures its answers, and says so before they take too long. */
import { expect, it, onTestFinished } from 'vitest';
import { assemble } from '../../src/daemon/assemble.ts';
import { systemClock } from '../../src/time/clock.ts';
import { afterMs } from '../lab/faults.ts';
import { startLab } from '../lab/lab.ts';
import { read } from '../unit/settings/read-settings.ts';

it('the status has the longest answer of the last pass, if it took half of the timeout', async () => {
  const lab = await startLab();
  onTestFinished(() => lab.close());
  const lines: string[] = [];
  const settings = read([], {
    FLEET_ENDPOINT: lab.fleet.endpoint,
    API_ENDPOINT: lab.kubernetes.url,
    HEALTHZ_URL: lab.kubelets.healthzUrl,
    API_TIMEOUT: '2s',
  });
  const log = { write: (event: string) => void lines.push(event), debug: () => {} };
  const { daemon, close } = await assemble(settings, { log, clock: systemClock, version: '0' });
  onTestFinished(close);
  await daemon.runOnce();
  expect(daemon.status().kubernetes).toMatchObject({ up: true, slowMs: null });

  const lift = lab.kubernetes.faults.add(afterMs(1_050));
  await daemon.runOnce();
  const { fleet, kubernetes } = daemon.status();
  expect(kubernetes.slowMs).toBeGreaterThanOrEqual(1_000);
  expect(fleet.slowMs).toBeNull();
  expect(lines).toContain('kubernetes-slow');

  lift();
  await daemon.runOnce();
  expect(daemon.status().kubernetes.slowMs).toBeNull();
  expect(lines).toContain('kubernetes-fast-again');
});
