/** The story of a schedule, for people: machines go by the names of their hosts, and what goes back and forth is told a few times. */
import { timeOf } from './time.ts';
import type { World } from './world.ts';

/** Beyond so many times the same line is told no more. */
const TIMES = 3;

export class Story {
  readonly lines: string[] = [];
  readonly #world: World;
  readonly #told = new Map<string, number>();

  constructor(world: World, title: string) {
    this.#world = world;
    this.lines.push(title);
  }

  tell(what: string): void {
    const times = (this.#told.get(what) ?? 0) + 1;
    this.#told.set(what, times);
    if (times > TIMES) return;
    const more = times === TIMES ? ' (and so on)' : '';
    this.lines.push(
      `${timeOf(this.#world.nowMs)} ${what.replace(/\b[0-9a-f]{32}\b/g, (id) => this.#nameOf(id))}${more}`,
    );
  }

  /** `80a4f52d (host-1)` */
  #nameOf(id: string): string {
    const hosts = this.#world.hosts.filter(({ machineId }) => machineId === id);
    const names = hosts.length === 0 ? 'of no host' : hosts.map(({ name }) => name).join(' and ');
    return `${id.slice(0, 8)} (${names})`;
  }
}
