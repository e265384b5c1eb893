/** What a client reads that may not see a path: why, and how to get in; plain text, or HTML for a browser. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from '../answers.ts';
import { hostPort, type ListenAddress, seenFromHere } from '../listen.ts';
import { html, NOTHING } from '../page/html.ts';

/** Why a request is not admitted. `here`: on this machine no login is needed. */
export type Denial =
  | { readonly denied: 'elsewhere'; readonly address: string }
  | { readonly denied: 'forwarded'; readonly header: string }
  | { readonly denied: 'missing' | 'wrong' | 'busy'; readonly here: boolean }
  | { readonly denied: 'no-certificate'; readonly here: boolean }
  | { readonly denied: 'bad-certificate'; readonly here: boolean; readonly problem: string }
  | { readonly denied: 'other-site' };

/** Where the server listens, for the command that makes a tunnel to it. */
export interface Place {
  readonly address: ListenAddress;
  readonly scheme: 'http' | 'https';
}

interface Words {
  readonly title: string;
  readonly why: string;
  /** What precedes the command of a tunnel; undefined where a tunnel does not help. */
  readonly tunnel: string | undefined;
  readonly more: readonly string[];
}

/** The response to a request that is not admitted. */
export function refusalOf(denial: Denial, headers: IncomingHttpHeaders, place: Place): Answer {
  const words = wordsOf(denial, place);
  const tunnel = words.tunnel !== undefined ? tunnelTo(headers.host, place) : undefined;
  const isForBrowser = /\btext\/html\b/.test(headers.accept ?? '');
  return {
    ...statusOf(denial),
    contentType: `text/${isForBrowser ? 'html' : 'plain'}; charset=utf-8`,
    body: isForBrowser ? asHtml(words, tunnel) : asText(words, tunnel),
  };
}

const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="kube-register", charset="UTF-8"' };

function statusOf({ denied }: Denial): Pick<Answer, 'status' | 'headers'> {
  if (denied === 'missing' || denied === 'wrong') return { status: 401, headers: CHALLENGE };
  return denied === 'busy' ? { status: 503, headers: { 'Retry-After': '1' } } : { status: 403 };
}

const OPEN_PATHS = '/metrics, /healthz and /readyz are open to everybody.';
const SHOWS = 'This path shows the machines and nodes of the cluster, and only to clients on this machine';
const LOGIN = 'a user of basic_auth_users in KUBE_REGISTER_WEB_CONFIG_FILE';

function wordsOf(denial: Denial, { address }: Place): Words {
  switch (denial.denied) {
    case 'elsewhere':
      return notFromHere(
        `the request came from ${denial.address}`,
        'Or set KUBE_REGISTER_WEB_CONFIG_FILE (TLS and logins), or KUBE_REGISTER_STATUS_ACCESS=all (everybody who reaches this port).',
      );
    case 'forwarded':
      return notFromHere(
        `a proxy forwarded the request (${denial.header}), so its client may be anywhere`,
        `Where the proxy decides who sees it, set KUBE_REGISTER_STATUS_ACCESS=all and KUBE_REGISTER_LISTEN=127.0.0.1:${address.port}, so that only this machine reaches the port.`,
      );
    case 'missing':
      return loginNeeded(`Log in as ${LOGIN}.`, denial);
    case 'wrong':
      return loginNeeded(`The user name or the password is wrong: log in as ${LOGIN}.`, denial);
    case 'busy':
      return {
        title: 'Busy',
        why: 'Too many passwords are being checked: try again.',
        tunnel: tunnelFor(denial),
        more: [],
      };
    case 'no-certificate':
      return certificateNeeded('none was given', denial);
    case 'bad-certificate':
      return certificateNeeded(`the one that was given is not valid (${denial.problem})`, denial);
    case 'other-site':
      return {
        title: 'Not from another site',
        why: 'A page of another web site made this request.',
        tunnel: undefined,
        more: [],
      };
  }
}

function notFromHere(why: string, setting: string): Words {
  return {
    title: 'Not from here',
    why: `${SHOWS}; ${why}.`,
    tunnel: 'From another computer, run this there, and open the address while it runs:',
    more: [setting, OPEN_PATHS],
  };
}

/** A denial of somebody who could log in, or come from this machine where that is enough. */
type LoginDenial = Extract<Denial, { readonly here: boolean }>;

function loginNeeded(why: string, denial: LoginDenial): Words {
  return { title: 'Login needed', why, tunnel: tunnelFor(denial), more: ['/healthz and /readyz need no login.'] };
}

function certificateNeeded(what: string, denial: LoginDenial): Words {
  return {
    title: 'Client certificate needed',
    why: `This port asks for a client certificate that the CA of client_ca_file in KUBE_REGISTER_WEB_CONFIG_FILE has signed; ${what}.`,
    tunnel: tunnelFor(denial),
    more: ['/healthz and /readyz need no certificate.'],
  };
}

function tunnelFor({ here }: LoginDenial): string | undefined {
  return here ? 'Or without a login: run this on your computer, and open the address while it runs:' : undefined;
}

interface Tunnel {
  readonly command: string;
  readonly url: string;
}

/** The host is the one that the client used, which can run `ssh` there. It is shown only where no shell finds anything in it. */
function tunnelTo(host: string | undefined, { address, scheme }: Place): Tunnel {
  const name = /^\[?(?<name>[a-z0-9](?:[a-z0-9.-]*|[0-9a-f:.]*))\]?(?::\d+)?$/i.exec(host ?? '')?.groups?.['name'];
  const isHere = name === undefined || name === 'localhost' || name.startsWith('127.');
  return {
    command: `ssh -N -L ${address.port}:${hostPort(seenFromHere(address))} ${isHere ? 'HOST' : name}`,
    url: `${scheme}://127.0.0.1:${address.port}/`,
  };
}

function asText({ why, tunnel: intro, more }: Words, tunnel: Tunnel | undefined): string {
  const how = tunnel === undefined ? [] : [intro, '', `    ${tunnel.command}`, `    ${tunnel.url}`, ''];
  return `${[why, ...how, ...more].join('\n')}\n`;
}

function asHtml({ title, why, tunnel: intro = '', more }: Words, tunnel: Tunnel | undefined): string {
  const how =
    tunnel === undefined
      ? NOTHING
      : html`<p>${intro}</p>
<pre>${tunnel.command}</pre>
<p><a href="${tunnel.url}">${tunnel.url}</a></p>
`;
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title} - kube-register</title>
<h1>${title}</h1>
<p>${why}</p>
${how}${more.map((line) => html`<p>${line}</p>\n`)}</html>
`.text;
}
