/** Fields that are read alike in all API versions. */
import * as z from 'zod';

/** Empty where it is missing or no text. */
export const text = z.string().catch('');

/** Labels or annotations. Not `z.record`, which takes twice as long: a list of nodes has thousands of them. */
export const pairs = z.object({}).catchall(z.string()).nullish();

/** What `pairs` read. By `for in`: from `Object.entries` a map takes twice as long. */
export function mapOf(read: z.infer<typeof pairs>): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const key in read) {
    const value = read[key];
    if (value !== undefined) map.set(key, value);
  }
  return map;
}
