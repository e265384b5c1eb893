/** A moment on the page: in UTC for whoever reads it, and in ISO 8601 for the script that says how long ago that is. */
import { type Html, html } from './html.ts';

/** `2026-01-02 00:00:30`, with its date even today: people compare it with logs. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso.slice(0, 19)}Z">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
}

/** The same without its seconds, where space is scarce. */
export function shortMoment(iso: string): Html {
  return html`<time datetime="${iso.slice(0, 19)}Z">${iso.slice(0, 10)} ${iso.slice(11, 16)}</time>`;
}
