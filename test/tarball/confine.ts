/** Runs a command as an older kernel, or a container engine of its time, would let it run: confine.c, compiled. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What confine.c knows. */
export type Kernel = 'linux-3.17' | 'linux-3.16' | 'docker-17.09';

const SOURCE = fileURLToPath(new URL('confine.c', import.meta.url));

/** Compiles it into the folder and returns its path: `<path> KERNEL COMMAND...` runs the command. Needs gcc. */
export function compileConfine(folder: string): string {
  const program = join(folder, 'confine');
  execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-static', '-o', program, SOURCE], { stdio: 'inherit' });
  return program;
}
