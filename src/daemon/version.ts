/** The program's version, from package.json beside src and dist. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';

export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version;
