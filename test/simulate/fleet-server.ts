/** What fleet lists of the hosts, which is not what is true of them: records outlive hosts, and two hosts can share one. */
import type { Chance } from './chance.ts';
import { announcedAddress, type FleetName, type Host } from './host.ts';
import { SECOND } from './time.ts';

/** fleet's agents announce themselves every 15 s, for 30 s. */
const TTL_MS = 30 * SECOND;
const BEAT_MS = 15 * SECOND;

export interface FleetRecord {
  readonly id: string;
  readonly address: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A record that no host keeps up. */
interface Leftover extends FleetRecord {
  readonly untilMs: number;
}

export type FleetWeather = 'fair' | 'fails' | 'hangs' | 'partial' | 'empty' | 'old';

export class FleetServer {
  readonly name: FleetName;
  readonly #hosts: readonly Host[];
  readonly #chance: Chance;
  readonly #clock: { readonly nowMs: number };
  #leftovers: readonly Leftover[] = [];
  #weather: FleetWeather = 'fair';
  /** What is listed in old weather. */
  #old: readonly FleetRecord[] = [];
  /** By machine id: which of the hosts that share it announced itself last. */
  readonly #turns = new Map<string, string>();

  constructor(name: FleetName, hosts: readonly Host[], chance: Chance, clock: { readonly nowMs: number }) {
    this.name = name;
    this.#hosts = hosts;
    this.#chance = chance;
    this.#clock = clock;
  }

  get weather(): FleetWeather {
    return this.#weather;
  }

  set weather(weather: FleetWeather) {
    if (weather === 'old') this.#old = this.#current();
    this.#weather = weather;
  }

  /** Every record that fleet would list in this moment, ordered by id. */
  list(): readonly FleetRecord[] {
    switch (this.#weather) {
      case 'empty':
        return [];
      case 'old':
        return this.#old;
      case 'partial':
        return this.#chance.some(this.#current(), 0.5);
      default:
        return this.#current();
    }
  }

  /** The host has fallen silent: its record stays until it expires. */
  lose(host: Host): void {
    if (!host.hasAgent) return;
    this.keep(recordOf(host), this.#clock.nowMs + TTL_MS - this.#chance.between(0, BEAT_MS));
  }

  keep(record: FleetRecord, untilMs: number): void {
    this.#leftovers = [...this.#leftovers.filter(({ id }) => id !== record.id), { ...record, untilMs }];
  }

  /** Only what hosts keep up is left. */
  forgetLeftovers(): void {
    this.#leftovers = [];
  }

  /** Agents announce themselves: of those that share an id the last one is listed. */
  beat(): void {
    const living = new Map<string, Host[]>();
    for (const host of this.#living()) living.set(host.machineId, [...(living.get(host.machineId) ?? []), host]);
    for (const [id, hosts] of living) if (hosts.length > 1) this.#turns.set(id, this.#chance.pick(hosts)?.name ?? '');
  }

  #living(): readonly Host[] {
    return this.#hosts.filter(({ fleet, isOn, hasAgent, isCutOff }) => {
      return fleet === this.name && isOn && hasAgent && !isCutOff;
    });
  }

  #current(): readonly FleetRecord[] {
    const { nowMs } = this.#clock;
    this.#leftovers = this.#leftovers.filter(({ untilMs }) => nowMs < untilMs);
    const records = new Map<string, FleetRecord>(
      this.#leftovers.map(({ untilMs: _, ...record }) => [record.id, record]),
    );
    const found = new Set<string>();
    for (const host of this.#living()) {
      const isItsTurn = !found.has(host.machineId) || this.#turns.get(host.machineId) === host.name;
      if (isItsTurn) records.set(host.machineId, recordOf(host));
      found.add(host.machineId);
    }
    return [...records.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

function recordOf(host: Host): FleetRecord {
  return { id: host.machineId, address: announcedAddress(host), metadata: host.metadata };
}
