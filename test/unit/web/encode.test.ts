import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../../src/time/steps.ts';
import { encodeSteps, jsonTexts } from '../../../src/web/encode.ts';

const encoded = (texts: Iterable<string>) => atOnce(encodeSteps(texts)).toString();

describe('a document as JSON in texts', () => {
  it('is what JSON.stringify makes of it, to the byte', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encoded(jsonTexts(value))).toBe(`${JSON.stringify(value, null, 2)}\n`);
      }),
    );
  });

  it('is so with what is undefined, and with what is empty', () => {
    const value = {
      a: undefined,
      b: [undefined, {}, [], { c: undefined }],
      d: {},
      e: { f: undefined, g: [{ h: [1, [2]] }] },
    };
    expect(encoded(jsonTexts(value))).toBe(`${JSON.stringify(value, null, 2)}\n`);
  });

  it('has no character that a terminal obeys, in a key or in a text', () => {
    const hostile = { '\u009b': ['\u009b \u202e \n', { '\u2028': '\u0085' }] };
    const text = encoded(jsonTexts(hostile));
    expect(text).toMatch(/^(?:\n|[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}])*$/u);
    expect(JSON.parse(text)).toEqual(hostile);
  });
});

describe('texts as bytes', () => {
  it('are encoded in steps, and lose nothing', () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index} ä 日本 🙂 `.repeat(50));
    const steps = encodeSteps(texts);
    let count = 0;
    for (let next = steps.next(); ; next = steps.next()) {
      if (next.done) {
        expect(next.value.toString()).toBe(texts.join(''));
        break;
      }
      count += 1;
    }
    expect(count).toBeGreaterThan(10);
  });
});
