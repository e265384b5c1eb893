/** The patches of a node that the lab knows: JSON merge patch, and JSON patch as far as single values go. */
import { z } from 'zod';
import { badRequest } from './status.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const SCALAR = z.union([z.string(), z.number(), z.boolean()]);
const OPERATIONS = z.array(
  z.object({ op: z.enum(['add', 'replace', 'remove']), path: z.string(), value: SCALAR.optional() }),
);

/** RFC 7386. Strategic merge is the same for maps; lists it would merge, and here they are replaced. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: { [key: string]: Json } = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** RFC 6902: add, replace and remove of one value in objects. */
export function jsonPatch(target: Json, patch: Json): Json {
  const operations = OPERATIONS.safeParse(patch);
  if (!operations.success)
    throw badRequest('the lab knows JSON patches that add, replace or remove single values only');
  return operations.data.reduce<Json>((document, { op, path, value = null }) => {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    // Each operation is a merge patch of one member.
    return mergePatch(
      document,
      keys.reduceRight<Json>((inner, key) => ({ [key]: inner }), op === 'remove' ? null : value),
    );
  }, target);
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
