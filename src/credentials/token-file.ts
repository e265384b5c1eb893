/** Reads a bearer token from a file that another program renews. */
import { CredentialError } from './credential-error.ts';
import { describeFile, readCredentialFile } from './credential-file.ts';

/** Called after each read but the first. `file` is the setting and the path; `problem` is a CredentialError's sentence. */
export type TokenReadListener = (file: string, problem: string | undefined) => void;

/**
 * Reads the token once, so that a mistake shows at start, and returns a function that reads it again for every request. A renewal may
 * leave the file missing or half written for a moment: until a whole token is there again the last one is given, and the
 * server says when it is too old. `setting` names the file's setting in errors. `before` is the token until the file has one; without
 * it, the file must have one now. Throws CredentialError.
 */
export async function tokenFileReader(
  path: string,
  setting: string,
  onRead: TokenReadListener = () => {},
  before?: string,
): Promise<() => Promise<string>> {
  const file = describeFile(setting, path);
  let last = before ?? (await readToken(path, file));
  return async () => {
    try {
      last = await readToken(path, file);
      onRead(file, undefined);
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error;
      onRead(file, error.message);
    }
    return last;
  };
}

async function readToken(path: string, from: string): Promise<string> {
  const text = await readCredentialFile(path, from);
  const problem = tokenProblem(text.trim());
  if (problem !== undefined) throw new CredentialError(`${from}: ${problem}`);
  return text.trim();
}

/** Why a text cannot be sent as a bearer token, or undefined when it can. Never repeats the text. */
export function tokenProblem(token: string): string | undefined {
  if (token === '') return 'the token is empty';
  if (!/^[\x21-\x7e]+$/.test(token)) return 'a token must be one word of visible ASCII characters';
  return undefined;
}
