/** The truth of a simulated cluster: hosts, what servers hold of them, and what is broken. The daemon sees only parts of it. */
import type { Chance } from './chance.ts';
import { type Controller, runControllers } from './controllers.ts';
import { FleetServer } from './fleet-server.ts';
import { answerOf, type FleetName, type Host, type KubeletState, NAT_ADDRESS, nameFor, runsKubelet } from './host.ts';
import { runKubelets } from './kubelets.ts';
import { NodeStore, type StoredNode } from './node-store.ts';
import type { Release } from './release.ts';
import { SECOND } from './time.ts';
import type { Timeline } from './timeline.ts';

/** Kubelets report every 10 s; everything else that goes on by itself goes on as often. */
const TICK_MS = 10 * SECOND;

/** What is usual in a cluster: hosts are drawn from it. */
export interface Habits {
  readonly reportsId: Readonly<Record<Host['reportsId'], number>>;
  readonly reportsAddresses: Readonly<Record<Host['reportsAddresses'], number>>;
  readonly namedBy: Readonly<Record<Host['namedBy'], number>>;
  readonly registersItself: number;
  readonly isDiskless: number;
  /** The daemon's own host has the NAT address too, and a kubelet. */
  readonly natAnswers: boolean;
}

export type ApiWeather = 'fair' | 'fails' | 'slow' | 'flaky' | 'fails after storing' | 'refuses' | 'refuses labels';

export class World {
  readonly hosts: Host[] = [];
  readonly fleets: Readonly<Record<FleetName, FleetServer>>;
  readonly store: NodeStore;
  readonly habits: Habits;
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** The API servers behind one address: each request is answered by any of them. */
  releases: readonly [Release, ...Release[]];
  api: ApiWeather = 'fair';
  /** Pairs that do not reach each other: `0 fleet`, `1 kubelets`, `2 api`, `kubelets api`. */
  readonly cuts = new Set<string>();
  cutAtMs = 0;
  readonly controllers = new Set<Controller>(['node controller']);
  /** What answers at addresses that are no host's. */
  readonly strangers = new Map<string, 'healthy' | 'answers'>();
  /** Names of hosts to which more happens than to others. */
  readonly favoured = new Set<string>();
  isCalm = false;
  /** Nothing happens to a node or a host at the very moment when a copy looks at it. */
  isQuiet = false;
  #joined = 0;
  #addresses = 0;

  constructor(chance: Chance, timeline: Timeline, habits: Habits, release: Release) {
    this.chance = chance;
    this.timeline = timeline;
    this.habits = habits;
    this.releases = [release];
    this.store = new NodeStore(timeline);
    this.fleets = {
      default: new FleetServer('default', this.hosts, chance, timeline),
      other: new FleetServer('other', this.hosts, chance, timeline),
    };
  }

  get nowMs(): number {
    return this.timeline.nowMs;
  }

  /** What is common to the API servers. */
  get release(): Release {
    return this.releases[0];
  }

  /** What is stored by name. */
  get nodes(): ReadonlyMap<string, StoredNode> {
    return this.store.nodes;
  }

  /** A host that has just booted. One that is absent is drawn all the same, so that the others are what they are. */
  join(fleet: FleetName = 'default', { isAbsent = false } = {}): Host {
    const { chance, habits } = this;
    this.#joined += 1;
    const name = `host-${this.#joined}`;
    const identity = { name, address: this.freshAddress(), namedBy: this.#drawName() };
    const host: Host = {
      ...identity,
      fleet,
      machineId: this.newMachineId(),
      isDiskless: chance.strikes(habits.isDiskless),
      metadata: { role: 'kubernetes', zone: chance.strikes(0.5) ? 'a' : 'b', host: name },
      isOn: true,
      isCutOff: false,
      hasAgent: true,
      announces: 'address',
      kubelet: 'healthy',
      isDown: false,
      reachesApi: true,
      isFirewalled: false,
      hasExpiredCertificate: false,
      nodeName: nameFor(identity),
      registersItself: chance.strikes(habits.registersItself),
      isRegistering: false,
      reportsId: chance.weighted(habits.reportsId),
      reportsAddresses: chance.weighted(habits.reportsAddresses),
      changedAtMs: this.nowMs,
    };
    if (isAbsent) return host;
    this.hosts.push(host);
    this.startKubelet(host);
    return host;
  }

  /** Before v0.13 kubelets neither report nor register: one that has another name than its address would be of no use. */
  #drawName(): Host['namedBy'] {
    return this.release.conditionsBy === 'kubelet' ? this.chance.weighted(this.habits.namedBy) : 'address';
  }

  newMachineId(): string {
    return Array.from({ length: 8 }, () => this.chance.between(0, 0xffff).toString(16).padStart(4, '0')).join('');
  }

  /** One that nobody has had. */
  freshAddress(): string {
    this.#addresses += 1;
    return `10.0.0.${this.#addresses}`;
  }

  /** Changes what decides whether a kubelet can be reached, or posts. */
  change(host: Host, to: Partial<Host>): void {
    Object.assign(host, to);
    host.changedAtMs = this.nowMs;
  }

  cut(which: string): void {
    this.cuts.add(which);
    this.cutAtMs = this.nowMs;
  }

  mend(): void {
    this.cuts.clear();
    this.cutAtMs = this.nowMs;
  }

  powerOff(host: Host): void {
    if (!host.isOn) return;
    if (!host.isCutOff) this.fleets[host.fleet].lose(host);
    this.change(host, { isOn: false });
  }

  powerOn(host: Host): void {
    if (host.isOn) return;
    const machineId = host.isDiskless ? this.newMachineId() : host.machineId;
    host.hasAgent = true;
    this.change(host, { isOn: true, machineId });
    this.startKubelet(host);
  }

  cutOff(host: Host): void {
    if (host.isOn) this.fleets[host.fleet].lose(host);
    this.change(host, { isCutOff: true });
  }

  reconnect(host: Host): void {
    if (host.isCutOff) this.change(host, { isCutOff: false });
  }

  /** Whatever keeps its kubelet from being reached ends, and what keeps it from the API server does or begins. */
  revive(host: Host, reachesApi: boolean): void {
    this.powerOn(host);
    this.reconnect(host);
    this.change(host, { reachesApi, isFirewalled: false });
    if (host.kubelet === 'stopped' || host.kubelet === 'hung') this.setKubelet(host, 'healthy');
  }

  setKubelet(host: Host, kubelet: KubeletState): void {
    const starts = host.kubelet === 'stopped' && kubelet !== 'stopped';
    this.change(host, { kubelet, isDown: false });
    if (starts) this.startKubelet(host);
  }

  /** It takes its name anew, and looks for its node. */
  startKubelet(host: Host): void {
    if (!runsKubelet(host)) return;
    this.change(host, { nodeName: nameFor(host), isRegistering: host.registersItself });
  }

  /** DHCP gives a host that runs, or does not, another address: a kubelet goes by its old name until it is started again. */
  move(host: Host, address: string): void {
    this.change(host, { address });
  }

  restartKubelet(host: Host): void {
    if (host.kubelet !== 'stopped') this.startKubelet(host);
  }

  /** What a health check of that address meets; undefined for silence. */
  answerAt(address: string): 'healthy' | 'answers' | undefined {
    if (address === NAT_ADDRESS) return this.habits.natAnswers ? 'healthy' : undefined;
    const answers = this.hosts.flatMap((host) => {
      const answer = host.address === address && !host.isFirewalled ? answerOf(host) : undefined;
      return answer === undefined ? [] : [answer];
    });
    return answers.length > 1 ? this.chance.pick(answers) : (answers[0] ?? this.strangers.get(address));
  }

  /** The hosts of a name. */
  #namedHosts(name: string): readonly Host[] {
    return this.hosts.filter((host) => host.name === name || host.metadata['host'] === name);
  }

  /** What DNS says. */
  resolve(name: string): string {
    return this.#namedHosts(name)[0]?.address ?? name;
  }

  /** Whether the node is the one that the host's kubelet keeps, or would keep if it ran. */
  isNodeOf(node: StoredNode, host: Host): boolean {
    if (this.release.conditionsBy === 'kubelet') return node.name === host.nodeName;
    const named = this.#namedHosts(node.name);
    if (named.length === 0) return node.name === host.address;
    return named.includes(host) && (named.length === 1 || node.addresses.includes(host.address));
  }

  /** Whether v0.8 lists the minion: it asks the kubelet at its name. */
  isListed(node: StoredNode): boolean {
    return this.release.conditionsBy !== 'hidden' || this.answersApi(node) === 'healthy';
  }

  /** What the kubelet at the node's name says to the API server. */
  answersApi(node: StoredNode): 'healthy' | 'answers' | undefined {
    return this.cuts.has('kubelets api') ? undefined : this.answerAt(this.resolve(node.name));
  }

  /** v0.8 asks every kubelet before it lists its minion, without a time limit. */
  isHeldUp(): boolean {
    if (this.release.conditionsBy !== 'hidden') return false;
    const asked = new Set([...this.nodes.keys()].map((name) => this.resolve(name)));
    return this.hosts.some((host) => host.isOn && host.kubelet === 'hung' && asked.has(host.address));
  }

  /** Time goes on. */
  async live(): Promise<never> {
    for (;;) {
      await this.timeline.sleep(TICK_MS);
      runKubelets(this);
      runControllers(this);
      for (const fleet of Object.values(this.fleets)) fleet.beat();
    }
  }
}
