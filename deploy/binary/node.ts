/** The Node that is shipped with the program on linux x64. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Its path; it is downloaded the first time. Throws when it cannot be had. */
export function nodeToShip(): string {
  const script = fileURLToPath(new URL('fetch-node', import.meta.url));
  return execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}
