/** Makes bodies of many texts in steps, because those of large clusters have tens of MB. */
import { escapeControls } from '../text/quote.ts';
import type { Steps } from '../time/steps.ts';

/** Texts are encoded together from so many characters on. */
const PIECE = 64 * 1024;

/** The texts as bytes. They are asked for one by one, in steps. */
export function* encodeSteps(texts: Iterable<string>): Steps<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  let text = '';
  for (const next of texts) {
    text += next;
    if (text.length < PIECE) continue;
    pieces.push(Buffer.from(text));
    text = '';
    yield;
  }
  pieces.push(Buffer.from(text));
  return yield* joined(pieces);
}

function* joined(pieces: readonly Buffer[]): Steps<Buffer<ArrayBuffer>> {
  const bytes = Buffer.allocUnsafe(pieces.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const piece of pieces) {
    at += piece.copy(bytes, at);
    yield;
  }
  return bytes;
}

/** A document as JSON, each item of an array a text. It is indented and without control characters, because people read it with curl. */
export function* jsonTexts(document: unknown): Iterable<string> {
  for (const text of valueTexts(document, '\n')) yield escapeControls(text);
  yield '\n';
}

/** `JSON.stringify(value, null, 2)`, in which each line begins with `margin`. */
function* valueTexts(value: unknown, margin: string): Iterable<string> {
  const inner = `${margin}  `;
  if (Array.isArray(value) && value.length > 0) {
    for (const [index, item] of value.entries()) yield `${index === 0 ? '[' : ','}${inner}${written(item, inner)}`;
    yield `${margin}]`;
  } else if (isObject(value)) {
    let before = '{';
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      yield `${before}${inner}${JSON.stringify(key)}: `;
      yield* valueTexts(item, inner);
      before = ',';
    }
    yield before === '{' ? '{}' : `${margin}}`;
  } else {
    yield written(value, margin);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function written(value: unknown, margin: string): string {
  return (JSON.stringify(value, null, 2) ?? 'null').replaceAll('\n', margin);
}
