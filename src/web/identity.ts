/** How one kube-register recognizes another: a header of /healthz and /readyz, which everybody may see. */

export interface Identity {
  readonly version: string;
  /** ISO 8601, to the ms. It tells daemons apart: one daemon may respond at two addresses. */
  readonly startedAt: string;
  readonly dryRun: boolean;
}

/** In small letters, as Node has the headers of a response. */
export const IDENTITY_HEADER = 'x-kube-register';

/** `version=0.1.0; started=2026-11-28T12:00:00.000Z; dry-run=false` */
export function writeIdentity({ version, startedAt, dryRun }: Identity): string {
  return `version=${version}; started=${startedAt}; dry-run=${dryRun}`;
}

/** The identity in a header, or undefined. */
export function readIdentity(header: string | undefined): Identity | undefined {
  const form =
    /^version=(?<version>[\w.+-]{1,64}); started=(?<startedAt>[\dT:.Z-]{20,30}); dry-run=(?<dryRun>true|false)/;
  const { version, startedAt, dryRun } = form.exec(header ?? '')?.groups ?? {};
  return version === undefined || startedAt === undefined
    ? undefined
    : { version, startedAt, dryRun: dryRun === 'true' };
}
