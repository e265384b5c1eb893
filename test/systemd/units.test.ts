/** Both units under a real systemd: the tarball as it is unpacked, and the container with a docker that is only as much as the unit sees of it. */
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { labOfTest, settingsFor } from '../integration/program.ts';
import type { Lab } from '../lab/lab.ts';
import { parse, serialize } from '../unit/deploy/fleet-unit.ts';
import { environmentFile, environmentOf } from '../unit/deploy/systemd-service.ts';
import { bootSystemd, type RootFile, type Systemd } from './systemd.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the tarball is made of. */
const OPT = join(ROOT, 'build', 'opt');
const UNIT = 'kube-register.service';
const LOG = '/run/log';
const ERRORS = '/run/errors';
const CHECK_UNIT = 'kube-register-check.service';
const WORKER = { role: 'kubernetes' };
const PATIENCE = { timeout: 30_000, interval: 50 };

/** `docker run` is the program with the variables that were handed on and the words behind the image, and nothing else of docker. */
const DOCKER = `#!/bin/sh
case "$1" in
run)
  shift
  for word do
    shift
    case "$word" in
    --env=*) set -- "$@" "\${word#--env=}=$(printenv "\${word#--env=}")" ;;
    --name=*) echo $$ >/run/container ;;
    --*) ;;
    kube-register:*) set -- "$@" /opt/bin/kube-register ;;
    *) set -- "$@" "$word" ;;
    esac
  done
  exec env -i "$@"
  ;;
stop)
  pid=$(cat /run/container)
  kill -TERM "$pid"
  while kill -0 "$pid"; do sleep 0.1; done
  ;;
rm)
  kill -KILL "$(cat /run/container)"
  rm -f /run/container
  ;;
esac
`;

/** The commands of the documents that check the unit, but for the last: there is no journal. */
const CHECK =
  /## In the sandbox of the unit\n.*?```sh\n(.*?)sudo journalctl/s.exec(
    await readFile(join(ROOT, 'deploy/docs/troubleshooting.md'), 'utf8'),
  )?.[1] ?? '';

/** So that a test need not wait 10 s for a restart, and reads what is written. */
const FOR_TESTS = `[Service]\nRestartSec=100ms\nStandardOutput=append:${LOG}\nStandardError=append:${ERRORS}\n`;

const UNITS = [
  { path: 'deploy/kube-register.service', isConfined: true },
  { path: 'deploy/container/kube-register.service', isConfined: false },
];

/** Boots with the unit, as fleet hands it to systemd, and with these lines in the file of variables. */
async function boot(path: string, lines: readonly string[], program?: RootFile): Promise<Systemd> {
  const text = serialize(parse(await readFile(join(ROOT, path), 'utf8')));
  return bootSystemd({
    [`/units/${UNIT}`]: { text: text.replaceAll('/usr/bin/docker', '/opt/bin/docker') },
    [`/units/${UNIT}.d/for-tests.conf`]: { text: FOR_TESTS },
    '/etc/kube-register.env': { text: ['# Of this test.', ...lines, ''].join('\n') },
    '/opt': { copyOf: OPT },
    '/opt/bin/docker': { text: DOCKER },
    ...(program && { '/opt/bin/kube-register': program }),
  });
}

/** The settings of a lab but for its fleet: the units know where fleet's socket is. */
function linesFor(lab: Lab): string[] {
  const settings = Object.entries({ ...settingsFor(lab), SYNC_INTERVAL: '1s' });
  return settings.flatMap(([name, value]) => (name === 'FLEET_ENDPOINT' ? [] : [`KUBE_REGISTER_${name}="${value}"`]));
}

/** Starts fleet's socket with the mode that systemd gives it. */
async function openSocket(lab: Lab, socket: string): Promise<void> {
  await lab.fleet.start();
  await chmod(socket, 0o666);
}

describe.each(UNITS)('$path', ({ path, isConfined }) => {
  it("registers what fleet's socket tells, also when that is made anew, and ends well", async () => {
    const systemd = await boot(path, []);
    const socket = systemd.path('/run/fleet.sock');
    const lab = await labOfTest({ fleet: { socket } });
    await chmod(socket, 0o666);
    await systemd.put('/etc/kube-register.env', { text: `${linesFor(lab).join('\n')}\n` });
    const first = await lab.addMachine({ metadata: WORKER });
    await systemd.systemctl('start', UNIT);
    await vi.waitFor(() => expect(lab.kubernetes.node(first.address)).toBeDefined(), PATIENCE);

    const { MainPID = '' } = await systemd.show(UNIT);
    const status = await systemd.run('cat', `/proc/${MainPID}/status`);
    const user = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    if (isConfined) {
      // The range of DynamicUser in systemd.exec(5).
      expect(user).toBeGreaterThanOrEqual(61184);
      expect(user).toBeLessThanOrEqual(65519);
      expect(status).toMatch(/^CapEff:\s+0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      expect(status).toMatch(/^Seccomp:\s+2$/m);
    }

    await lab.fleet.stop();
    await openSocket(lab, socket);
    const second = await lab.addMachine({ metadata: WORKER });
    await vi.waitFor(() => expect(lab.kubernetes.node(second.address)).toBeDefined(), PATIENCE);

    await systemd.systemctl('stop', UNIT);
    const { ActiveState, Result, ExecMainStatus, NRestarts } = await systemd.show(UNIT);
    expect({ ActiveState, Result, ExecMainStatus, NRestarts }).toEqual({
      ActiveState: 'inactive',
      Result: 'success',
      ExecMainStatus: '0',
      NRestarts: '0',
    });
    expect(await systemd.text(LOG)).toContain('SIGTERM: stopping');
  });

  it('is started again when it was killed', async () => {
    const systemd = await boot(path, ['KUBE_REGISTER_LISTEN=off']);
    await systemd.systemctl('start', UNIT);
    await vi.waitFor(async () => expect(await systemd.text(LOG)).toContain('has started'), PATIENCE);
    await systemd.systemctl('kill', '--signal=KILL', UNIT);
    await systemd.until(UNIT, (now) => expect(now).toMatchObject({ NRestarts: '1', SubState: 'running' }));
  });

  it('is left alone after exit code 2, and says why', async () => {
    const systemd = await boot(path, ['KUBE_REGISTER_POLICY=foo']);
    await systemd.systemctl('start', UNIT);
    const stopped = { SubState: 'failed', ExecMainStatus: '2', NRestarts: '0' };
    await systemd.until(UNIT, (now) => expect(now).toMatchObject(stopped));
    expect(await systemd.text(ERRORS)).toContain('KUBE_REGISTER_POLICY="foo"');
  });

  it('is tried again for ever after exit code 1, and is well as soon as it can be', async () => {
    const systemd = await boot(path, [
      'KUBE_REGISTER_LISTEN=off',
      'KUBE_REGISTER_API_ENDPOINT=https://127.0.0.1:1',
      'KUBE_REGISTER_API_TOKEN_FILE=/etc/token',
    ]);
    await systemd.systemctl('start', UNIT);
    // systemd by itself gives up after five starts in 10 s.
    await systemd.until(UNIT, ({ NRestarts }) => expect(Number(NRestarts)).toBeGreaterThan(7));
    await systemd.put('/etc/token', { text: 'a-token' });
    await vi.waitFor(async () => expect(await systemd.text(LOG)).toContain('has started'), PATIENCE);
  });

  it('hands on what is in its file of variables, whatever it is', async () => {
    const lines = [
      'KUBE_REGISTER_METADATA="role in (worker, edge)"',
      "KUBE_REGISTER_NODE_NAME='metadata:na $me'",
      'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:1/$HOME/$(id)?a=%n&b=50%%  ',
      'KUBE_REGISTER_LOG_LEVEL="a \\"b\\" `c` \'d\' #e * \\$x \\y"',
      'KUBE_REGISTER_NODE_LABELS=',
      'KUBE_REGISTER_API_TOKEN_FILE=/a\\ b;c=d\\',
      '  e',
      'KUBE_REGISTER_POLICY=it"s #not',
      'KUBE_REGISTER_ADOPT=1',
      '  KUBE_REGISTER_ADOPT = \'2\' "3"4 ',
      '; KUBE_REGISTER_EVENTS=1 \\',
      'KUBE_REGISTER_EVENTS=2',
    ];
    const systemd = await boot(path, lines, { text: '#!/bin/sh\nenv -0\nexit 2\n' });
    await systemd.systemctl('start', UNIT);
    await systemd.until(UNIT, ({ SubState }) => expect(SubState).toBe('failed'));
    const pairs = (await systemd.text(LOG)).split('\0').filter((pair) => pair.startsWith('KUBE_REGISTER_'));
    const options = parse(await readFile(join(ROOT, path), 'utf8'));
    const all = { ...environmentOf(options, UNIT), ...environmentFile(`${lines.join('\n')}\n`) };
    expect(Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s, 2)))).toEqual(
      Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('KUBE_REGISTER_'))),
    );
    expect(pairs).toHaveLength(9);
  });

  it('is checked with its own settings, as its own user, whether or not it runs, and is left alone', async () => {
    const systemd = await boot(path, []);
    const socket = systemd.path('/run/fleet.sock');
    const lab = await labOfTest({ fleet: { socket } });
    await chmod(socket, 0o666);
    await lab.addMachine({ metadata: { role: 'edge' } });
    await systemd.put('/opt/bin/sudo', { text: '#!/bin/sh\nexec "$@"\n' });
    const check = () => systemd.run('env', 'PATH=/opt/bin:/usr/bin', 'sh', '-c', CHECK);
    const lines = [...linesFor(lab), 'KUBE_REGISTER_METADATA="role in (worker, edge)"'];

    await systemd.put('/etc/kube-register.env', { text: [...lines, 'KUBE_REGISTER_POLICY=foo', ''].join('\n') });
    await systemd.systemctl('start', UNIT);
    await systemd.until(UNIT, ({ SubState }) => expect(SubState).toBe('failed'));
    await systemd.put(ERRORS, { text: '' });
    await expect(check()).rejects.toThrow(`Job for ${CHECK_UNIT} failed`);
    expect(await systemd.text(ERRORS)).toContain('KUBE_REGISTER_POLICY="foo"');

    await systemd.put('/etc/kube-register.env', { text: [...lines, ''].join('\n') });
    await systemd.systemctl('start', UNIT);
    await check();
    expect(await systemd.text(LOG)).toMatch(
      /^ok +machines +1 of 1 machine match METADATA "role in \(worker, edge\)"$/m,
    );
    const unit = await systemd.show(UNIT);
    expect(unit).toMatchObject({ SubState: 'running', NRestarts: '0' });
    const { User, ExecMainStatus, EnvironmentFiles } = await systemd.show(CHECK_UNIT);
    expect({ User, ExecMainStatus, EnvironmentFiles }).toEqual({
      User: unit['User'],
      ExecMainStatus: '0',
      EnvironmentFiles: unit['EnvironmentFiles'],
    });
  });
});
