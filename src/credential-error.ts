/** The error for credentials that cannot be used. */

/**
 * The message is one sentence without a full stop that names the setting and the file, and never what is in the file:
 * `KUBE_REGISTER_API_KEY_FILE: the key in /etc/key.pem does not belong to the certificate`.
 */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}

/**
 * Why a file cannot be read, for people: `there is no such file`. Node's own message is avoided: it tells the same less well.
 */
export function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it';
    case 'EISDIR':
      return 'it is a folder, not a file';
    default:
      return `it cannot be read (${code})`;
  }
}
