/** Where a server is: an HTTP URL or a unix socket, taken apart once. */

export interface Endpoint {
  /** As a person would name it: `unix:///var/run/fleet.sock`, `https://10.0.0.1:6443`. */
  readonly server: string;
  /** What request paths are appended to, without a slash at the end. For a socket it only fills the Host header. */
  readonly baseUrl: string;
  readonly socketPath: string | undefined;
}

/**
 * Takes `unix:///path`, `http://host[:port][/base]` or `https://...` apart. Throws an Error that says what is wrong and
 * never repeats the text, which may hold a password.
 */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('unix:')) {
    if (!/^unix:\/\/\/[^/]/.test(text)) throw new Error('a socket must be given as unix:///path, with three slashes');
    return { server: text, baseUrl: 'http://localhost', socketPath: text.slice('unix://'.length) };
  }
  if (!URL.canParse(text)) throw new Error('an endpoint must be unix:///path, http://host:port or https://host:port');
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw new Error('an endpoint must begin with unix://, http:// or https://');
  if (url.username !== '' || url.password !== '') throw new Error('an endpoint must not hold a user name or password');
  if (url.search !== '' || url.hash !== '') throw new Error('an endpoint must not have a query or a fragment');
  const baseUrl = url.href.replace(/\/+$/, '');
  return { server: baseUrl, baseUrl, socketPath: undefined };
}
