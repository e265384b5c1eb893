/** What is usual in a cluster: most tell the truth, some lie in one way throughout, some in all ways. */
import type { Chance } from './chance.ts';
import type { Habits } from './world.ts';

const HONEST: Habits = {
  reportsId: { own: 1, image: 0, nothing: 0 },
  reportsAddresses: { own: 1, 'own and NAT': 0, NAT: 0, loopback: 0, nothing: 0 },
  namedBy: { address: 0.5, hostname: 0.4, override: 0.1, localhost: 0 },
  registersItself: 0.5,
  isDiskless: 0,
  natAnswers: true,
};

export function drawHabits(chance: Chance): Habits {
  return {
    reportsId:
      chance.pick([
        HONEST.reportsId,
        HONEST.reportsId,
        { own: 0, image: 1, nothing: 0 },
        { own: 0, image: 0, nothing: 1 },
        { own: 0.6, image: 0.25, nothing: 0.15 },
      ]) ?? HONEST.reportsId,
    reportsAddresses:
      chance.pick([
        HONEST.reportsAddresses,
        HONEST.reportsAddresses,
        { own: 0, 'own and NAT': 1, NAT: 0, loopback: 0, nothing: 0 },
        { own: 0, 'own and NAT': 0, NAT: 1, loopback: 0, nothing: 0 },
        { own: 0.5, 'own and NAT': 0.2, NAT: 0.1, loopback: 0.1, nothing: 0.1 },
      ]) ?? HONEST.reportsAddresses,
    namedBy:
      chance.pick([
        { address: 1, hostname: 0, override: 0, localhost: 0 },
        { address: 0, hostname: 1, override: 0, localhost: 0 },
        HONEST.namedBy,
        { address: 0.4, hostname: 0.3, override: 0.25, localhost: 0.05 },
      ]) ?? HONEST.namedBy,
    registersItself: chance.pick([0, 0.5, 1]) ?? 0.5,
    isDiskless: chance.strikes(0.1) ? 1 : chance.strikes(0.1) ? 0.3 : 0,
    natAnswers: chance.strikes(0.7),
  };
}
