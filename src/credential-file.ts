/** Reads a file that holds credentials, with one sentence when it cannot be read. */
import { readFile, stat } from 'node:fs/promises';
import { CredentialError } from './credential-error.ts';
import { mayBeSecret, NOT_SHOWN } from './secret.ts';

/** How an error about a file begins: `KUBE_REGISTER_API_CA_FILE: /etc/ca.pem`. A key may look like a path, too. */
export function describeFile(setting: string, path: string): string {
  return `${setting}: ${mayBeSecret(path) ? NOT_SHOWN : path}`;
}

/** `from` begins the sentence: the setting and the file. Throws CredentialError, which never says what is in the file. */
export async function readCredentialFile(path: string, from: string): Promise<string> {
  try {
    const found = await stat(path);
    // To open a named pipe would wait for its writer, and nothing could end that wait, the process included.
    if (!found.isFile()) throw new CredentialError(`${from}: it is not a regular file`);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw error instanceof CredentialError ? error : new CredentialError(`${from}: ${unreadable(error)}`);
  }
}

/** Node's own message is avoided: it tells the same less well. */
function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it';
    default:
      return `it cannot be read (${code})`;
  }
}
