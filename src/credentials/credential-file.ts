/** Reads a file that holds credentials, with one sentence when it cannot be read. */
import { readFile, stat } from 'node:fs/promises';
import { CredentialError } from './credential-error.ts';
import { unlessSecret } from './secret.ts';

/** How an error about a file begins: `KUBE_REGISTER_API_CA_FILE: /etc/ca.pem`. A key may look like a path, too. */
export function describeFile(setting: string, path: string): string {
  return `${setting}: ${unlessSecret(path)}`;
}

/**
 * The text of the file. `from` begins the sentence: the setting and the file. Throws CredentialError, which never says what is in the
 * file.
 */
export async function readCredentialFile(path: string, from: string): Promise<string> {
  return decode(await readBytes(path, from)).text;
}

/** As readCredentialFile, for a file that has to be text to the last byte. */
export async function readTextFile(path: string, from: string): Promise<string> {
  const { text, damaged } = decode(await readBytes(path, from));
  if (text.includes('\0'))
    throw new CredentialError(`${from}: it is UTF-16 without a byte order mark, or not text; save it as UTF-8`);
  if (damaged) throw new CredentialError(`${from}: it is not UTF-8; save it as UTF-8`);
  return text;
}

/** Editors on Windows write a byte order mark, and UTF-16. `damaged`: some bytes are no text in the encoding. */
function decode(bytes: Buffer): { readonly text: string; readonly damaged: boolean } {
  const [first, second] = bytes;
  const mark =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return { text: new TextDecoder(mark, { fatal: true }).decode(bytes), damaged: false };
  } catch {
    return { text: new TextDecoder(mark).decode(bytes), damaged: true };
  }
}

async function readBytes(path: string, from: string): Promise<Buffer> {
  try {
    const found = await stat(path);
    // To open a named pipe would wait for its writer, and nothing could end that wait, the process included.
    if (!found.isFile()) throw new CredentialError(`${from}: it is not a regular file`);
    return await readFile(path);
  } catch (error) {
    throw error instanceof CredentialError ? error : new CredentialError(`${from}: ${whyUnreadable(error)}`);
  }
}

/** Why a file cannot be read, in place of Node's message: `the file does not exist`. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'the file does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'this user is not allowed to read it';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return `it cannot be read (${code})`;
  }
}
