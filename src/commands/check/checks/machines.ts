/** The check of fleet's machines: whether there are any, which match the selector, and which of those can be used. */
import type { Selector } from '../../../fleet/selector.ts';
import { type Candidate, isCandidate, type Machine } from '../../../reconcile/evidence/machines.ts';
import { plural } from '../../../text/plural.ts';
import { quote } from '../../../text/quote.ts';
import { examples, type Finding, named, ok, wrong } from '../finding.ts';
import { isPlain } from '../mends.ts';

/** The machines that may get a node. */
export function candidatesOf(machines: ReadonlyMap<string, Machine>): readonly Candidate[] {
  return [...machines.values()].filter(isCandidate);
}

export function checkMachines(machines: ReadonlyMap<string, Machine>, selector: Selector): readonly Finding[] {
  const all = [...machines.values()];
  const matching = all.filter(({ matches }) => matches);
  const wanted = selector.text === '' ? 'an empty METADATA' : `METADATA ${quote(selector.text)}`;
  if (all.length === 0) {
    return [named('machines', wrong('fleet lists no machine', 'fleetctl list-machines'))];
  }
  if (matching.length === 0) return [named('machines', noneMatches(all, selector, wanted))];

  const unusable = matching.filter((machine) => !isCandidate(machine));
  const sentence = `${matching.length} of ${plural(all.length, 'machine')} match ${wanted}`;
  const matched = named('machines', ok(sentence));
  const found = Object.values(KINDS).flatMap(({ isMeant, mend }) => {
    const each = unusable.filter(isMeant).map(({ id, problem }) => `${id}: ${problem ?? 'no address'}`);
    if (each.length === 0) return [];
    return [wrong(examples(`${each.length} of these ${matching.length} cannot be used`, each), mend)];
  });
  return [matched, ...found.map((each) => named('machines', each))];
}

const isCloned = ({ addresses }: Machine) => addresses.length > 1;
const isAtLoopback = ({ problem = '' }: Machine) => problem.includes('is the loopback address');

/** Why a machine cannot be used, and what mends it on that machine. */
const KINDS: Readonly<Record<string, { readonly isMeant: (machine: Machine) => boolean; readonly mend: string }>> = {
  cloned: {
    isMeant: isCloned,
    mend: 'rm /etc/machine-id && systemd-machine-id-setup && reboot # on all of these hosts but one',
  },
  loopback: {
    isMeant: (machine) => !isCloned(machine) && isAtLoopback(machine),
    mend: 'systemctl restart fleet # on that machine',
  },
  others: {
    isMeant: (machine) => !isCloned(machine) && !isAtLoopback(machine),
    mend: `echo 'public_ip="ADDRESS"' | sudo tee -a /etc/fleet/fleet.conf && sudo systemctl restart fleet # on that machine`,
  },
};

/** What the Go program asked for where `-metadata` was not given; the default of METADATA is another one. */
const GO_DEFAULT = 'k8s=kubelet';

/** A metadata pair, and how many machines have it. */
interface Pair {
  readonly key: string;
  readonly value: string;
  readonly count: number;
}

function noneMatches(machines: readonly Machine[], selector: Selector, wanted: string) {
  const pairs = pairsOf(machines);
  const none = `none of ${plural(machines.length, 'machine')} matches ${wanted}`;
  if (pairs.length === 0) return wrong(`${none}: they have no metadata`, "KUBE_REGISTER_METADATA=''");
  const each = pairs.map(({ key, value, count }) => `${show(key)}=${show(value)} (${count})`);
  const keys = new Set(selector.requirements.map(({ key }) => key));
  const plain = pairs.filter(({ key, value }) => isPlain(key) && isPlain(value));
  const ofGo = plain.find(({ key, value }) => `${key}=${value}` === GO_DEFAULT);
  const likeliest = plain.find(({ key }) => keys.has(key)) ?? ofGo ?? plain[0];
  const origin = ofGo !== undefined && likeliest === ofGo ? `; ${GO_DEFAULT} is the default of the Go program` : '';
  const mend =
    likeliest === undefined ? 'fleetctl list-machines' : `KUBE_REGISTER_METADATA=${likeliest.key}=${likeliest.value}`;
  return wrong(`${none}; their metadata: ${shortened(each)}${origin}`, mend);
}

const MOST_PAIRS = 10;

function shortened(pairs: readonly string[]): string {
  const more = pairs.length > MOST_PAIRS ? `, and ${pairs.length - MOST_PAIRS} more` : '';
  return pairs.slice(0, MOST_PAIRS).join(', ') + more;
}

/** The pairs that most machines have come first. */
function pairsOf(machines: readonly Machine[]): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { metadata } of machines) {
    for (const [key, value] of metadata) {
      const text = JSON.stringify([key, value]);
      pairs.set(text, { key, value, count: (pairs.get(text)?.count ?? 0) + 1 });
    }
  }
  return [...pairs.values()].sort((a, b) => b.count - a.count);
}

function show(text: string): string {
  return isPlain(text) ? text : quote(text);
}
