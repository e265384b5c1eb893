/** Tells a text that is likely a token or a key, given where something else belongs, from names, paths and words. */

import { quote } from '../text/quote.ts';

/** Stands where such a text would have been shown. */
export const NOT_SHOWN = '(not shown: it may hold a secret)';

const KNOWN_FORMS = [
  // A user name and password before the host of a URL, or a token in its query.
  /.@|\?\S/s,
  // JSON as base64url, with which every JWT begins.
  /eyJ[\w-]{8}/,
  /-----BEGIN/,
  /\b(?:bearer|basic)\s+\S/i,
  // Bootstrap tokens: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
  /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/,
  // UUIDs, which the first token files were filled with.
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i,
];

/** Whether the text should not be shown to everybody who reads an error. It takes some harmless texts for secrets. */
export function mayBeSecret(text: string): boolean {
  if (KNOWN_FORMS.some((form) => form.test(text))) return true;
  // Hexadecimal or base64 without its punctuation, however it is divided.
  if (text.match(/[A-Za-z0-9]{20,}/g)?.some((run) => classChanges(run) >= 3)) return true;
  // Base64: in words, lower case, upper case and digits change far less often than in noise, which is some six times in ten.
  return text.match(/[A-Za-z0-9+/_-]{24,}/g)?.some((run) => classChanges(run) >= 0.3 * run.length) ?? false;
}

/** The text as it is, unless it may be a secret. */
export function unlessSecret(text: string): string {
  return mayBeSecret(text) ? NOT_SHOWN : text;
}

/** The text in quotes, unless it may be a secret. */
export function quoteUnlessSecret(text: string): string {
  return mayBeSecret(text) ? NOT_SHOWN : quote(text);
}

/** How often lower case, upper case and digits follow upon each other. */
function classChanges(run: string): number {
  const kinds = run
    .replace(/[^A-Za-z0-9]/g, '')
    .replace(/[a-z]+/g, 'a')
    .replace(/[A-Z]+/g, 'A')
    .replace(/[0-9]+/g, '0');
  return kinds.length - 1;
}
