/** How long ago something was, at a glance. */
import { formatAge } from '../../time/duration.ts';

/** `3m12s`; a dash for a time that is not known. `now` is wall ms. */
export function ageOf(time: string | null, now: number): string {
  return time === null ? '-' : formatAge(now - Date.parse(time));
}

/** `, for 2h13m`; nothing where it is not known. */
export function lasting(since: string | null, now: number): string {
  return since === null ? '' : `, for ${ageOf(since, now)}`;
}
