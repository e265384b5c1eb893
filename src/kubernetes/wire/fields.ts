/** Fields that are read alike in all API versions. */
import * as z from 'zod';

/** Empty where it is missing or no text. */
export const text = z.string().catch('');

/** Labels or annotations. Not `z.record`, which takes twice as long: a list of nodes has thousands of them. */
export const pairs = z.object({}).catchall(z.string()).nullish();
