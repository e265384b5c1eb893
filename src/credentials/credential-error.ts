/** The error for credentials that cannot be used. */

/**
 * The message is one sentence without a full stop that names the setting and the file, and never what is in the file:
 * `KUBE_REGISTER_API_KEY_FILE: the key in /etc/key.pem does not belong to the certificate`.
 */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}
