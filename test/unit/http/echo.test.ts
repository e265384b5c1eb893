import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secretHider } from '../../../src/http/echo.ts';

const TOKEN = 'S3cret/token+with"all\\kinds';
const hide = secretHider(TOKEN);

type Escape = (character: string) => string;

const code = (character: string) => character.charCodeAt(0);
const hex = (character: string, digits: number) => code(character).toString(16).padStart(digits, '0');
const ESCAPES: readonly Escape[] = [
  (character) => `\\u${hex(character, 4)}`,
  (character) => `\\u${hex(character, 4).toUpperCase()}`,
  (character) => `\\x${hex(character, 2)}`,
  (character) => `\\${code(character).toString(8).padStart(3, '0')}`,
  (character) => `%${hex(character, 2)}`,
  (character) => `%${hex(character, 2).toUpperCase()}`,
  (character) => `&#${code(character)};`,
  (character) => `&#x${hex(character, 2)};`,
  (character) => JSON.stringify(character).slice(1, -1),
  (character) => (character === '/' ? '\\/' : character),
  (character) => encodeURIComponent(character),
  (character) => {
    const names: Record<string, string> = { '"': '&quot;', "'": '&apos;', '&': '&amp;', '<': '&lt;', '>': '&gt;' };
    return names[character] ?? character;
  },
];

/** What a reader can make of a text by undoing one layer after the other, written independently of the program. */
function readings(text: string): string[] {
  const all = [text];
  for (let layer = 0; layer < 6; layer += 1) {
    const last = all.at(-1) ?? '';
    const next = last
      .replace(/\\u00([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replace(/\\x([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replace(/\\([01][0-7]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)))
      .replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replace(/&#x0*([0-9a-f]{2});/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replace(/&#(\d+);/g, (_, digits) => String.fromCharCode(Number(digits)))
      .replace(/&quot;/g, '"')
      .replace(/&apos;/g, "'")
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&amp;/g, '&')
      .replace(/\\(["\\/])/g, '$1');
    all.push(next);
  }
  return all;
}

/** Visible ASCII without what begins an escape: with that, a text that is escaped in part can be read in several ways. */
const token = fc.string({
  unit: fc
    .integer({ min: 0x21, max: 0x7e })
    .map((at) => String.fromCharCode(at))
    .filter((each) => !'\\%&'.includes(each)),
  minLength: 6,
});
const surroundings = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });

describe('a secret that a server sends back', () => {
  it.each([
    ['as it is', `Bearer ${TOKEN} is wrong`, 'Bearer [token] is wrong'],
    ['in base64', Buffer.from(TOKEN).toString('base64'), /^\[token\].{0,3}$/],
    ['in base64 behind other text', Buffer.from(`Bearer ${TOKEN}`).toString('base64'), /^.{9,12}\[token\].{0,3}$/],
    ['in base64url', Buffer.from(`a${TOKEN}`).toString('base64url'), /^.{1,3}\[token\].{0,3}$/],
    ['in hexadecimal', Buffer.from(TOKEN).toString('hex').toUpperCase(), '[token]'],
    ['in JSON', JSON.stringify({ token: TOKEN }), '(not shown: it holds the token)'],
    ['in a URL', encodeURIComponent(TOKEN), '(not shown: it holds the token)'],
  ])('%s is not shown', (_name, text, shown) => {
    expect(hide(text)).toMatch(shown);
  });

  it('is not shown in whatever escaping, and in several of them', () => {
    fc.assert(
      fc.property(
        token,
        surroundings,
        surroundings,
        fc.array(fc.tuple(fc.constantFrom(...ESCAPES), fc.array(fc.boolean(), { minLength: 1 })), { maxLength: 3 }),
        (secret, before, after, layers) => {
          const echoed = layers.reduce(
            (text, [escaped, which]) =>
              Array.from(text)
                .map((character, at) =>
                  which[at % which.length] || '\\%&'.includes(character) ? escaped(character) : character,
                )
                .join(''),
            secret,
          );
          // The text around may turn the first character into a part of another escape.
          fc.pre(readings(before + echoed + after).some((reading) => reading.includes(secret)));
          for (const reading of readings(secretHider(secret)(before + echoed + after))) {
            expect(reading).not.toContain(secret);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is not shown in base64, wherever it stands in what was encoded', () => {
    fc.assert(
      fc.property(
        token,
        surroundings,
        surroundings,
        fc.constantFrom('base64', 'base64url'),
        (secret, before, after, form) => {
          const shown = secretHider(secret)(Buffer.from(before + secret + after).toString(form));
          expect(Buffer.from(shown, form).toString()).not.toContain(secret);
          expect(shown).toContain('[token]');
        },
      ),
    );
  });
});

describe('what is no secret', () => {
  it.each([
    JSON.stringify({ items: [{ metadata: { annotations: { a: '{"VtepMAC":"aa:bb"}', b: 'x & y < z' } } }] }),
    '100% sure &amp; <b>certain</b> \\u003cb\\u003e %41 &#65;',
    '',
  ])('is left as it is: %j', (text) => {
    expect(hide(text)).toBe(text);
  });

  it('is a token that is a word of every answer', () => {
    expect(secretHider('node')('{"kind":"nodelist"}')).toBe('{"kind":"nodelist"}');
  });

  it('costs little in a long answer', () => {
    const item = { metadata: { name: 'n', annotations: { flannel: '{"VtepMAC":"aa:bb","x":"<&>"}' } } };
    const body = JSON.stringify({ items: Array.from({ length: 100_000 }, () => item) });
    const jwt = secretHider(`eyJhbGciOiJSUzI1NiJ9.${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo'.repeat(20)}.c2ln`);
    const started = performance.now();
    expect(jwt(body)).toBe(body);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
