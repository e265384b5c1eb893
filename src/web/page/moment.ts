/** Times on the page: in UTC as text, and in ISO 8601 for the script, which shows how long ago they were and keeps the text as title. */
import type { TextTime } from '../../status/explanation.ts';
import { type Html, html } from './html.ts';

/** How a time is written: a bare `age` is for columns. */
export type Form = TextTime['form'] | 'age';

/** The words before the time, where no script replaces both. */
const BEFORE: Readonly<Record<Form, string>> = { age: '', for: 'since ', ago: '', at: '', due: 'at ' };

/** `2026-01-02 00:00:30`, always with the date, so that it can be compared with logs. `when` is any text that Date reads. */
export function moment(when: string, form: Form): Html {
  const iso = new Date(when).toISOString();
  const text = `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
  return html`<time datetime="${iso.slice(0, 19)}Z" data-form="${form}">${BEFORE[form]}${text}</time>`;
}
