/** Times on the page: in UTC as text, and in ISO 8601 for the script that shows how long ago they were. */
import { type Html, html } from './html.ts';

/** `2026-01-02 00:00:30`, always with the date, so that it can be compared with logs. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso.slice(0, 19)}Z">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
}

/** `2026-01-02 00:00`, for narrow columns. */
export function shortMoment(iso: string): Html {
  return html`<time datetime="${iso.slice(0, 19)}Z">${iso.slice(0, 10)} ${iso.slice(11, 16)}</time>`;
}
