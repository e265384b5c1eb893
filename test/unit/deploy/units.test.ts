/** The two units of kube-register, line by line, as fleet and then systemd read them; and that each check sees a line that is wrong. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { VERSION } from '../../../src/daemon/version.ts';
import { readSettings } from '../../../src/settings/settings.ts';
import { nowhere } from '../settings/read-settings.ts';
import { FLEETS, type Option, parse, placementOf, serialize, validateForFleet, valuesOf } from './fleet-unit.ts';
import { commandOf, environmentFile, environmentOf } from './systemd-service.ts';

const NAME = 'kube-register.service';
const DEPLOY = new URL('../../../deploy/', import.meta.url);
const TROUBLESHOOTING = new URL('../../../deploy/docs/troubleshooting.md', import.meta.url);
const program = readFileSync(new URL(NAME, DEPLOY), 'utf8');
const container = readFileSync(new URL(`container/${NAME}`, DEPLOY), 'utf8');

/** The daemon drains for 4 s and then ends, after 5 s at the latest. */
const DAEMON_STOP_SECONDS = 5;

/** What systemd 214 to 234 does not know, logs, and ignores, so that the daemon starts without it; by systemd's NEWS the newest are of 247. */
const YOUNGER: readonly string[] = [
  ...['DynamicUser', 'LockPersonality', 'ProtectClock', 'ProtectControlGroups', 'ProtectHostname', 'ProtectKernelLogs'],
  ...['ProtectKernelModules', 'ProtectKernelTunables', 'ProtectProc', 'RestrictNamespaces', 'RestrictRealtime'],
  'RestrictSUIDSGID',
];

/** What the units may say: those, and what is known to systemd 215 (CoreOS had it when fleet was at 0.8); by systemd's NEWS the newest are of 214. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  Unit: ['Description', 'Wants', 'After'],
  Service: [
    ...['Environment', 'EnvironmentFile', 'ExecStartPre', 'ExecStart', 'ExecStop', 'ExecStopPost', 'TimeoutStopSec'],
    ...['Restart', 'RestartSec', 'RestartPreventExitStatus', 'SuccessExitStatus', 'StartLimitInterval'],
    ...['User', 'NoNewPrivileges', 'PrivateTmp', 'PrivateDevices', 'SystemCallArchitectures'],
    ...['RestrictAddressFamilies', 'ProtectSystem', 'ProtectHome', 'CapabilityBoundingSet', 'UMask'],
    ...['SystemCallFilter', 'SystemCallErrorNumber', ...YOUNGER],
  ],
  'X-Fleet': ['MachineOf'],
};

interface Unit {
  readonly text: string;
  readonly options: readonly Option[];
}

function unitOf(text: string): Unit {
  return { text, options: parse(text) };
}

/** The one value of a key; undefined when there is none or more than one. */
function only({ options }: Unit, key: string, section = 'Service'): string | undefined {
  const [value, ...others] = valuesOf(options, section, key);
  return others.length === 0 ? value : undefined;
}

function settings({ options }: Unit, file = ''): ReturnType<typeof readSettings> {
  return readSettings([], { ...environmentOf(options, NAME), ...environmentFile(file) }, nowhere);
}

function words(text: string | undefined): readonly string[] {
  return text?.split(' ') ?? [];
}

interface Rule {
  readonly sentence: string;
  readonly check: (unit: Unit) => void;
  /** What it has to see: each makes a wrong unit of a good one. */
  readonly wrong: readonly (readonly [good: string | RegExp, wrong: string])[];
}

const PEER = 'MachineOf=kube-apiserver.service';

const EVERY_UNIT: readonly Rule[] = [
  {
    sentence: 'is taken by every fleet, which has nothing to say of it and ignores no line',
    check: ({ text }) => {
      expect(validateForFleet(NAME, text)).toEqual({ refusals: [], warnings: [], silences: [] });
    },
    wrong: [
      [PEER, PEER.toLowerCase()],
      [PEER, `${PEER} ; beside it`],
      [PEER, `${PEER}\nGlobal=true`],
      [PEER, `${PEER}\nConflicts=kube-*`],
      ['[X-Fleet]', '[Fleet]\nX-ConditionMachineOf=kube-apiserver.service\n[X-Fleet]'],
    ],
  },
  {
    sentence: 'follows the API server, and nothing else says where it is',
    check: ({ text }) => {
      const nothing = { machineMetadata: [], machineId: undefined, conflicts: [], replaces: [], isGlobal: false };
      for (const fleet of FLEETS) {
        expect(placementOf(NAME, text, fleet)).toEqual({ ...nothing, machineOf: ['kube-apiserver.service'] });
      }
    },
    wrong: [
      [PEER, ''],
      [PEER, 'MachineOf="kube-apiserver.service" "other.service"'],
      [PEER, `${PEER}\nMachineMetadata=role=kubernetes`],
    ],
  },
  {
    sentence: 'starts after the API server and the socket of fleet where they are on its machine',
    check: (unit) => {
      expect(words(only(unit, 'After', 'Unit'))).toEqual(
        expect.arrayContaining(['fleet.socket', 'kube-apiserver.service']),
      );
    },
    wrong: [
      [/^(After=.*) kube-apiserver\.service$/m, '$1'],
      [/^(After=.*) kube-apiserver\.service$/m, '$1 Kube-apiserver.service'],
      [/fleet\.socket /, ''],
    ],
  },
  {
    sentence: 'is ended by no other unit that fails or is stopped',
    check: ({ options }) => {
      const ties = ['Requires', 'Requisite', 'BindsTo', 'PartOf', 'Conflicts', 'RequiresOverridable'];
      expect(ties.flatMap((key) => valuesOf(options, 'Unit', key))).toEqual([]);
    },
    wrong: [
      ['[Service]', 'Requires=kube-apiserver.service\n[Service]'],
      ['[Service]', 'BindsTo=fleet.socket\n[Service]'],
    ],
  },
  {
    sentence: 'restarts always, and for ever',
    check: (unit) => {
      expect(only(unit, 'Restart')).toBe('always');
      // In [Unit], as StartLimitIntervalSec, only systemd 230 and later know it.
      expect(only(unit, 'StartLimitInterval')).toBe('0');
    },
    wrong: [
      ['Restart=always', 'Restart=on-failure'],
      ['Restart=always', 'restart=always'],
      ['StartLimitInterval=0', 'StartLimitInterval=10'],
      ['StartLimitInterval=0', '# StartLimitInterval=0'],
    ],
  },
  {
    sentence: 'leaves some seconds between two starts',
    check: (unit) => {
      expect(Number(only(unit, 'RestartSec'))).toBeGreaterThanOrEqual(5);
      expect(Number(only(unit, 'RestartSec'))).toBeLessThanOrEqual(60);
    },
    wrong: [
      [/RestartSec=.*/, 'RestartSec=0'],
      [/RestartSec=.*/, 'RestartSec=1h'],
      [/RestartSec=.*/, ''],
    ],
  },
  {
    sentence: 'does not restart after exit code 2, and after every other code',
    check: (unit) => {
      expect(only(unit, 'RestartPreventExitStatus')).toBe('2');
    },
    wrong: [
      [/RestartPreventExitStatus=.*/, ''],
      [/RestartPreventExitStatus=.*/, 'RestartPreventExitStatus=1 2'],
    ],
  },
  {
    sentence: 'is a service whose start has no time limit but for what runs before it',
    check: ({ options }) => {
      expect(valuesOf(options, 'Service', 'Type')).toEqual([]);
      expect(valuesOf(options, 'Service', 'ExecStart')).toHaveLength(1);
      expect(valuesOf(options, 'Service', 'ExecStartPre').filter((line) => /pull|curl|wget/.test(line))).toEqual([]);
    },
    wrong: [
      ['[Service]', '[Service]\nType=notify'],
      ['[Service]', '[Service]\nExecStartPre=/usr/bin/docker pull kube-register'],
    ],
  },
  {
    sentence: 'is given more time to end than the daemon takes',
    check: (unit) => {
      expect(Number(only(unit, 'TimeoutStopSec'))).toBeGreaterThan(DAEMON_STOP_SECONDS);
    },
    wrong: [
      [/TimeoutStopSec=.*/, 'TimeoutStopSec=4'],
      [/TimeoutStopSec=.*/, ''],
    ],
  },
  {
    sentence: 'has settings that the program takes, and reads more from a file that may be missing',
    check: (unit) => {
      expect(settings(unit)).toMatchObject({ kind: 'run', warnings: [] });
      expect(only(unit, 'EnvironmentFile')).toBe('-/etc/kube-register.env');
    },
    wrong: [
      ['KUBE_REGISTER_METADATA', 'KUBE_REGISTER_METADTA'],
      ['KUBE_REGISTER_METADATA=role=kubernetes', 'KUBE_REGISTER_METADATA==kubernetes'],
      ['EnvironmentFile=-', 'EnvironmentFile='],
    ],
  },
  {
    sentence: "finds fleet's socket where CoreOS has it, and leaves it to the file where the API server is",
    check: (unit) => {
      expect(settings(unit)).toMatchObject({
        settings: { fleet: { endpoint: 'unix:///var/run/fleet.sock' }, api: { endpoint: 'http://127.0.0.1:8080' } },
      });
      expect(settings(unit, 'KUBE_REGISTER_KUBECONFIG=/etc/kubernetes/kubeconfig\n').kind).toBe('run');
      expect(settings(unit, 'KUBE_REGISTER_API_ENDPOINT=https://10.0.0.6\n')).toMatchObject({
        settings: { api: { endpoint: 'https://10.0.0.6' } },
      });
    },
    wrong: [
      ['/var/run/fleet.sock', '/host/run/fleet.sock'],
      ['[Service]', '[Service]\nEnvironment=KUBE_REGISTER_API_ENDPOINT=http://127.0.0.1:8080'],
    ],
  },
  {
    sentence: 'has no line that releases of fleet or systemd read differently',
    check: ({ text, options }) => {
      for (const fleet of FLEETS) expect(parse(text, fleet)).toEqual(options);
      // systemd 220 began to refuse escapes that it had let pass.
      expect(options.filter(({ value }) => value.includes('\\'))).toEqual([]);
      expect(text).toMatch(/^[\n\x20-\x7e]*\n$/);
    },
    wrong: [
      ['Restart=always', 'Restart=\\\nalways'],
      ['=role=kubernetes', '=role\\x3dkubernetes'],
      ['kubelet machines', 'kubelet\u00a0machines'],
    ],
  },
  {
    sentence: 'has each key in its section, and no key that is younger than fleet 0.8',
    check: ({ options }) => {
      expect(options.filter(({ section, key }) => !KEYS[section]?.includes(key))).toEqual([]);
    },
    wrong: [
      ['RestartSec=', 'RestartSteps=5\nRestartSec='],
      ['[Service]', 'StartLimitInterval=0\n[Service]'],
      ['[X-Fleet]', '[Install]\nWantedBy=multi-user.target\n[X-Fleet]'],
    ],
  },
];

/** The words of `docker run` before the image, as they are in the unit; the variables are still the shell's. */
function dockerRun(unit: Unit): readonly string[] {
  const [shell, flag, script = ''] = commandOf(only(unit, 'ExecStart') ?? '', NAME, {}).argv;
  expect([shell, flag]).toEqual(['/bin/sh', '-c']);
  expect(script).toMatch(/^exec \/usr\/bin\/docker run /);
  return [...words(script), ...words(environmentOf(unit.options, NAME)['DOCKER_OPTIONS'])];
}

/** What `docker stop` waits before it kills. */
function graceOf(unit: Unit): number {
  const stop = /^-\/usr\/bin\/docker stop -t (\d+) kube-register$/.exec(only(unit, 'ExecStop') ?? '');
  return Number(stop?.[1]);
}

const THE_CONTAINER: readonly Rule[] = [
  {
    sentence: 'runs the image of this version',
    check: ({ options }) => {
      expect(environmentOf(options, NAME)['IMAGE']).toBe(`kube-register:${VERSION}`);
    },
    wrong: [[/IMAGE=kube-register:.*/, 'IMAGE=kube-register:latest']],
  },
  {
    sentence: "has the machine's network, and an init where docker has one",
    check: (unit) => {
      expect(dockerRun(unit)).toEqual(expect.arrayContaining(['--rm', '--name=kube-register', '--net=host', '--init']));
    },
    wrong: [
      ['--net=host ', ''],
      ['--init ', ''],
      ['--rm ', ''],
    ],
  },
  {
    sentence: 'has no privilege that it does not need',
    check: (unit) => {
      const run = dockerRun(unit);
      const needed = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'];
      expect(run).toEqual(expect.arrayContaining(needed));
      expect(run.filter((word) => /^--(privileged|cap-add|user|pid|ipc|device|volumes-from)\b/.test(word))).toEqual([]);
    },
    wrong: [
      ['--cap-drop=ALL ', ''],
      ['--read-only ', ''],
      [' --security-opt=no-new-privileges', ''],
      ['--rm ', '--rm --privileged '],
    ],
  },
  {
    sentence:
      "sees the folder of fleet's socket, where a socket that is made anew is seen, and can change nothing there",
    check: (unit) => {
      expect(dockerRun(unit).filter((word) => /^(-v|--volume|--mount)/.test(word))).toEqual([
        '--volume="$SOCKET_FOLDER:$SOCKET_FOLDER:ro"',
      ]);
      const { SOCKET_FOLDER, KUBE_REGISTER_FLEET_ENDPOINT } = environmentOf(unit.options, NAME);
      expect(KUBE_REGISTER_FLEET_ENDPOINT).toBe(`unix://${SOCKET_FOLDER}/fleet.sock`);
    },
    wrong: [
      ['SOCKET_FOLDER=/var/run', 'SOCKET_FOLDER=/var/run/fleet.sock'],
      ['SOCKET_FOLDER:ro"', 'SOCKET_FOLDER"'],
      ['SOCKET_FOLDER=/var/run', 'SOCKET_FOLDER=/run'],
    ],
  },
  {
    sentence: 'starts after docker, and tries again when docker is away',
    check: (unit) => {
      expect(words(only(unit, 'After', 'Unit'))).toContain('docker.service');
      expect(only(unit, 'Wants', 'Unit')).toBe('docker.service');
    },
    wrong: [
      ['After=docker.service ', 'After='],
      ['Wants=', 'Requires='],
    ],
  },
  {
    sentence: 'leaves no container behind, of this start or of one before, and takes it well when there is none',
    check: ({ options }) => {
      for (const key of ['ExecStartPre', 'ExecStopPost']) {
        expect(valuesOf(options, 'Service', key)).toEqual(['-/usr/bin/docker rm --force kube-register']);
      }
    },
    wrong: [
      [/ExecStopPost=.*/, ''],
      ['ExecStartPre=-', 'ExecStartPre='],
      [/ExecStartPre=.*/, 'ExecStartPre=-/usr/bin/docker kill kube-register'],
    ],
  },
  {
    sentence: 'is stopped in time: after the daemon, docker, and after docker, systemd',
    check: (unit) => {
      expect(graceOf(unit)).toBeGreaterThan(DAEMON_STOP_SECONDS);
      expect(Number(only(unit, 'TimeoutStopSec'))).toBeGreaterThan(graceOf(unit));
    },
    wrong: [
      ['-t 8', '-t 5'],
      ['-t 8', '-t 15'],
      ['ExecStop=-', 'ExecStop='],
      // docker calls it --timeout since 28, and before that --time.
      ['-t 8', '--time=8'],
    ],
  },
  {
    sentence: 'is not failed when SIGTERM came before the daemon could hear it',
    check: (unit) => {
      expect(only(unit, 'SuccessExitStatus')).toBe('143');
    },
    wrong: [[/SuccessExitStatus=.*/, '']],
  },
];

const THE_PROGRAM: readonly Rule[] = [
  {
    sentence: 'starts the program in /opt/bin, without a shell',
    check: (unit) => {
      expect(commandOf(only(unit, 'ExecStart') ?? '', NAME, {})).toEqual({
        mayFail: false,
        argv: ['/opt/bin/kube-register'],
      });
    },
    wrong: [
      ['ExecStart=', 'ExecStart=-'],
      ['ExecStart=/opt/bin/kube-register', 'ExecStart=/opt/bin/kube-register --once'],
    ],
  },
  {
    sentence: 'has an account of its own, which systemd makes where it can',
    check: (unit) => {
      expect([only(unit, 'User'), only(unit, 'DynamicUser')]).toEqual(['kube-register', 'yes']);
      expect(unit.text).toContain('useradd --system --no-create-home --shell /bin/false kube-register ');
    },
    wrong: [
      ['User=kube-register', 'User=nobody'],
      [/^User=.*/m, ''],
      ['DynamicUser=yes', 'DynamicUser=no'],
      ['useradd --system', 'useradd'],
    ],
  },
  {
    sentence: 'has no privilege that it does not need',
    check: (unit) => {
      const switches = ['NoNewPrivileges', 'PrivateTmp', 'PrivateDevices', 'ProtectHome', 'ProtectSystem'];
      expect(switches.map((key) => only(unit, key))).toEqual(['yes', 'yes', 'yes', 'yes', 'full']);
      expect(only(unit, 'CapabilityBoundingSet')).toBe('');
      expect(only(unit, 'SystemCallArchitectures')).toBe('native');
    },
    wrong: [
      ['NoNewPrivileges=yes', 'NoNewPrivileges=no'],
      ['ProtectHome=yes', 'ProtectHome=yes\nProtectHome=no'],
      ['CapabilityBoundingSet=', 'CapabilityBoundingSet=CAP_CHOWN'],
    ],
  },
  {
    sentence:
      'forbids system calls by groups alone, which a systemd that knows no groups ignores, and never allows a list',
    check: (unit) => {
      const filter = only(unit, 'SystemCallFilter') ?? '';
      expect(filter).toMatch(/^~@[a-z-]+( @[a-z-]+)*$/);
      expect(only(unit, 'SystemCallErrorNumber')).toBe('EPERM');
    },
    wrong: [
      ['SystemCallFilter=~', 'SystemCallFilter='],
      ['@swap', 'ptrace'],
      ['SystemCallErrorNumber=EPERM', ''],
    ],
  },
  {
    sentence: "reaches fleet's socket, and servers over IPv4 and IPv6",
    check: (unit) => {
      const families = words(only(unit, 'RestrictAddressFamilies'));
      expect(families.toSorted()).toEqual(['AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_UNIX']);
    },
    wrong: [
      [' AF_INET6', ''],
      ['=AF_UNIX', '=~AF_UNIX'],
    ],
  },
];

describe.each([
  ['deploy/kube-register.service', program, [...EVERY_UNIT, ...THE_PROGRAM]],
  ['deploy/container/kube-register.service', container, [...EVERY_UNIT, ...THE_CONTAINER]],
] as const)('%s', (_, text, rules) => {
  describe.each(rules)('$sentence', ({ check, wrong }) => {
    it('as it is', () => check(unitOf(text)));

    it.each(wrong)('but not with %s as %j', (good, bad) => {
      const broken = text.replace(good, bad);
      expect(broken).not.toBe(text);
      expect(() => check(unitOf(broken))).toThrow();
    });
  });
});

describe('the two units', () => {
  it('say the same wherever they say the same thing', () => {
    const [one, other] = [unitOf(container), unitOf(program)];
    const differ = ['After', 'Environment', 'ExecStart'];
    const shared = one.options.filter(({ section, key }) => valuesOf(other.options, section, key).length > 0);
    expect(new Set(shared.map(({ key }) => key)).size).toBeGreaterThan(8);
    for (const { section, key, value } of shared.filter((option) => !differ.includes(option.key))) {
      expect(valuesOf(other.options, section, key)).toEqual([value]);
    }
    expect(only(one, 'After', 'Unit')).toBe(`docker.service ${only(other, 'After', 'Unit')}`);
    const {
      IMAGE: _image,
      DOCKER_OPTIONS: _options,
      SOCKET_FOLDER: _folder,
      ...variables
    } = environmentOf(one.options, NAME);
    expect(variables).toEqual(environmentOf(other.options, NAME));
  });
});

const CALL = z.object({ argv: z.array(z.string()), env: z.record(z.string(), z.string()) });

describe('the command of the container', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kube-register-docker-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Runs it as systemd would, with a docker that tells what it was given, and with no other variables. */
  async function start(file = '', body = '', text = container) {
    const docker = join(folder, 'docker');
    const script = `console.log(JSON.stringify({ argv: process.argv.slice(2), env: process.env }));${body}`;
    await writeFile(docker, `#!${process.execPath}\n${script}\n`);
    await chmod(docker, 0o755);
    const unit = unitOf(text);
    const env = { PATH: '/usr/bin:/bin', ...environmentOf(unit.options, NAME), ...environmentFile(file) };
    const [shell = '', ...words] = commandOf(only(unit, 'ExecStart') ?? '', NAME, env).argv;
    const args = words.map((word) => word.replace('/usr/bin/docker', docker));
    const { stdout } = await promisify(execFile)(shell, args, { env });
    const { argv, env: given } = CALL.parse(JSON.parse(stdout));
    const handedOn = argv.flatMap((word) => /^--env=(.*)$/.exec(word)?.[1] ?? []);
    // docker takes the value of a bare --env=NAME from its own environment.
    return { argv, inside: Object.fromEntries(handedOn.map((name) => [name, given[name]])) };
  }

  it('hands on what the unit sets, runs the image, and gives the daemon no words', async () => {
    const { argv, inside } = await start();
    expect(inside).toEqual({
      KUBE_REGISTER_FLEET_ENDPOINT: 'unix:///var/run/fleet.sock',
      KUBE_REGISTER_METADATA: 'role=kubernetes',
    });
    expect(argv[0]).toBe('run');
    expect(argv.slice(-3)).toEqual(['--init', '--security-opt=no-new-privileges', `kube-register:${VERSION}`]);
    expect(argv.slice(1, -1).filter((word) => !word.startsWith('--'))).toEqual([]);
  });

  it('hands on what the file sets, whatever is in the values, and nothing that is not for the daemon', async () => {
    const { inside } = await start(
      [
        '# Settings of this machine.',
        'KUBE_REGISTER_METADATA="role in (worker, edge)"',
        "KUBE_REGISTER_NODE_NAME='metadata:na me'",
        'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:1/$HOME/$(id)?a=%n&b=50%%',
        'KUBE_REGISTER_LOG_LEVEL="a \\"b\\" `c` \'d\' #e *"',
        'KUBE_REGISTER_NODE_LABELS=',
        'KUBE_REGISTER_API_TOKEN_FILE=/a\\ b;c=d',
        'KUBE_REGISTER_typo=1',
        'PASSWORD=secret',
        '; KUBE_REGISTER_ADOPT=false',
        '',
      ].join('\n'),
    );
    expect(inside).toEqual({
      KUBE_REGISTER_FLEET_ENDPOINT: 'unix:///var/run/fleet.sock',
      KUBE_REGISTER_METADATA: 'role in (worker, edge)',
      KUBE_REGISTER_NODE_NAME: 'metadata:na me',
      KUBE_REGISTER_HEALTHZ_URL: 'http://{ip}:1/$HOME/$(id)?a=%n&b=50%%',
      KUBE_REGISTER_LOG_LEVEL: 'a "b" `c` \'d\' #e *',
      KUBE_REGISTER_NODE_LABELS: '',
      KUBE_REGISTER_API_TOKEN_FILE: '/a b;c=d',
      KUBE_REGISTER_typo: '1',
    });
  });

  it('sees the folder of another socket alone, where the file says so, and that is where the drop-in has it', async () => {
    const dropIn = await readFile(new URL('../../../deploy/socket-folder.conf', import.meta.url), 'utf8');
    const [, socket = ''] = /^ListenStream=(.*)$/m.exec(dropIn) ?? [];
    const folder = dirname(socket);
    const { argv, inside } = await start(`SOCKET_FOLDER=${folder}\nKUBE_REGISTER_FLEET_ENDPOINT=unix://${socket}\n`);
    expect(argv.filter((word) => word.startsWith('--volume'))).toEqual([`--volume=${folder}:${folder}:ro`]);
    expect(inside['KUBE_REGISTER_FLEET_ENDPOINT']).toBe(`unix://${socket}`);
    expect((await start()).argv).toContain('--volume=/var/run:/var/run:ro');
  });

  it('shows no value in its list of words', async () => {
    const { argv } = await start('KUBE_REGISTER_API_TOKEN_FILE=/var/run/token\n');
    expect(argv.filter((word) => word.includes('token'))).toEqual([]);
    expect(argv).toContain('--env=KUBE_REGISTER_API_TOKEN_FILE');
  });

  it('takes another image and other words for docker from the file, or none', async () => {
    const { argv } = await start('IMAGE=registry:5000/a:1\nDOCKER_OPTIONS=--group-add=253 --volume=/etc/a:/etc/a:ro\n');
    expect(argv.slice(-3)).toEqual(['--group-add=253', '--volume=/etc/a:/etc/a:ro', 'registry:5000/a:1']);
    const { argv: bare } = await start('DOCKER_OPTIONS=\n');
    expect(bare).not.toContain('--init');
  });

  it.each([0, 1, 2, 125, 143])('ends with the code of docker, which is that of the daemon: %i', async (code) => {
    const ending = start('', `process.exitCode = ${code};`).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    expect(await ending).toBe(code);
  });

  it('is docker itself, so that the signals of systemd reach it', async () => {
    const ending = start('', "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60_000);");
    await expect(ending).rejects.toMatchObject({ signal: 'SIGTERM' });
  });

  it('becomes a check with the same settings, words and image by the commands of the documents', async () => {
    const file =
      'KUBE_REGISTER_METADATA="role in (worker, edge)"\nIMAGE=registry:5000/a:1\nDOCKER_OPTIONS=--group-add=253\n';
    const [daemon, check] = [await start(file), await start(file, '', checkOf(container))];
    expect(check.argv).toEqual([...daemon.argv.filter((word) => word !== '--name=kube-register'), 'check']);
    expect(check.inside).toEqual(daemon.inside);
  });
});

/** The commands of a text that check the unit. */
function commandsOfCheck(text: string): string {
  return /```sh\n(systemctl cat kube-register\.service \|\n.*?)```/s.exec(text)?.[1] ?? '';
}

/** The unit that these commands make of one as fleet has handed it to systemd. */
function checkOf(text: string): string {
  const [, sed = ''] = /^ *(sed .*) \|$/m.exec(commandsOfCheck(readFileSync(TROUBLESHOOTING, 'utf8'))) ?? [];
  return execFileSync('sh', ['-c', sed], { input: serialize(parse(text)), encoding: 'utf8' });
}

describe('the check of a unit', () => {
  it('ends with what it printed', () => {
    expect(commandsOfCheck(readFileSync(TROUBLESHOOTING, 'utf8'))).toContain('sudo journalctl ');
  });

  it.each([
    ['deploy/kube-register.service', program],
    ['deploy/container/kube-register.service', container],
  ])('is %s but for the command, which runs once and touches no container of another', (_, text) => {
    const kept = parse(text).filter(({ key, value }) => !/docker (rm|stop)/.test(value) && key !== 'ExecStart');
    const check = parse(checkOf(text));
    expect(check.filter(({ key }) => key !== 'ExecStart')).toEqual(
      kept.map((option) => (option.key === 'Restart' ? { ...option, key: 'Type', value: 'oneshot' } : option)),
    );
    expect(valuesOf(check, 'Service', 'ExecStart')).toEqual([
      expect.stringMatching(/(\/opt\/bin\/kube-register|"\$\$IMAGE") check'?$/),
    ]);
  });
});
