/** What is said of faults of certificates that OpenSSL words and Node has no code for. */
import { expect, it } from 'vitest';
import { diagnose } from '../../../src/http/diagnosis.ts';

it.each([
  [
    'key usage does not include certificate signing',
    'its CA may not sign certificates (its keyUsage has no keyCertSign)',
  ],
  ['unhandled critical extension', 'it has a critical extension that TLS does not know'],
])('"%s" is explained', (message, fault) => {
  expect(diagnose('kubernetes', undefined, { code: 'UNSPECIFIED', message })).toBe(
    `the server's certificate cannot be verified: ${fault}; reissue it`,
  );
});
