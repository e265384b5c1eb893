/** `npm run demo`: the real daemon and a cluster in a lab tell a story; each step is read back from the daemon's /status. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DaemonActor, LabActor } from './actors.ts';
import { commands, logLine, say } from './console.ts';
import { readOptions } from './options.ts';
import { LENGTH, Story } from './story.ts';

/** Fast enough to be watched. A real cluster keeps the defaults: 30 s between passes, 15 and 30 minutes of grace. */
const FAST = {
  CLUSTER_NAME: 'demo',
  SYNC_INTERVAL: '1s',
  MISSING_GRACE: '4s',
  UNHEALTHY_GRACE: '4s',
  HEALTHZ_TIMEOUT: '500ms',
};
/** Warns of the short grace periods, which are meant here. */
const UNTOLD: ReadonlySet<string> = new Set(['setting-regretted']);

const options = readOptions(process.argv.slice(2));
process.exit('text' in options ? explain(options) : await run(options.port, options.forMs));

function explain({ text, exitCode }: { readonly text: string; readonly exitCode: number }): number {
  (exitCode === 0 ? console.log : console.error)(text);
  return exitCode;
}

/** Resolves with the exit code. */
async function run(port: number, forMs: number): Promise<number> {
  const began = performance.now();
  const listen = `127.0.0.1:${port}`;
  if (!(await isFree(port))) {
    console.error(
      `Port ${port} of this machine is taken. Is another demo running? Choose another: npm run demo -- --port ${port + 1}`,
    );
    return 1;
  }
  say(
    `The demo of kube-register: the real daemon in a small simulated cluster. It takes about ${LENGTH}; Ctrl-C ends it.`,
  );
  say('Passes are 1s apart and grace periods last 4s; by default they are 30s, and 15 and 30 minutes.');
  say(
    `Look at http://${listen}/ in a browser meanwhile. Behind | is the log of the daemon, behind => what its status says.`,
  );
  console.log('');

  // A closed terminal and a stopped container end the daemon too, which has a process group of its own.
  const interrupted = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  const lab = await LabActor.start();
  const daemon = await DaemonActor.start(
    {
      FLEET_ENDPOINT: lab.places.fleet,
      API_ENDPOINT: lab.places.kubernetes,
      HEALTHZ_URL: lab.places.healthz,
      LISTEN: listen,
      ...FAST,
    },
    ({ level, msg, event }) => {
      if (!UNTOLD.has(event ?? '')) logLine(level, msg);
    },
  );
  let exitCode = 0;
  try {
    await Promise.race([new Story(lab, daemon).tell(), interrupted]);
    if (Number.isFinite(forMs))
      await Promise.race([interrupted, delay(Math.max(0, forMs - (performance.now() - began)))]);
    else {
      goOn(listen);
      await interrupted;
    }
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
    exitCode = 1;
  }
  const daemonEnded = await daemon.stop();
  lab.stop();
  return exitCode === 0 && daemonEnded !== 0 ? 1 : exitCode;
}

/** What to try next, while the daemon runs. */
function goOn(listen: string): void {
  const command = 'npx tsx src/main.ts';
  console.log('');
  say('That was the demo. The daemon runs until Ctrl-C. Try in another terminal, in this folder:');
  commands([
    [`${command} status --daemon ${listen}`, 'the machines and nodes, and why'],
    [`${command} explain 127.1.0.1 --daemon ${listen}`, 'the story of one node'],
    [`curl -s http://${listen}/metrics`, 'what Prometheus scrapes'],
  ]);
  say(`Or open http://${listen}/ in a browser. Next: deploy/README.md.`);
}

/** Whether nothing listens on this port of 127.0.0.1. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
