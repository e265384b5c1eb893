/** Certificates, keys and versions of TLS as servers and clients have them, and paths in front of the API server. */
import type { ServerOptions } from 'node:https';
import { type Bench, CA, HERE } from './kubectl-lab.ts';
import type { Certificate } from './pki.ts';
import { base64, type Variant } from './variant.ts';

/** A kubeconfig for a front with this certificate, trusting this CA. */
async function served(bench: Bench, { cert, key }: Certificate, ca: string, more: ServerOptions = {}): Promise<object> {
  const server = await bench.lab.fronts.start({ tls: { cert, key, ...more } });
  return bench.config({
    cluster: { server, 'certificate-authority': undefined, 'certificate-authority-data': base64(ca) },
  });
}

/** A leaf below an intermediate below a root. */
async function chain(bench: Bench) {
  const root = await bench.root();
  const intermediate = await bench.root('intermediate', { signedBy: root });
  const leaf = await bench.leaf('chained', { signedBy: intermediate });
  return { root, intermediate, leaf, sent: { ...leaf, cert: leaf.cert + intermediate.cert } };
}

/** A leaf that differs in how it is made, signed by the usual root. */
async function odd(bench: Bench, name: string, request: Parameters<Bench['leaf']>[1], more?: ServerOptions) {
  const root = await bench.root();
  return served(bench, await bench.leaf(name, { signedBy: root, ...request }), root.cert, more);
}

/** A kubeconfig with a client certificate instead of a token. */
function identified(bench: Bench, cert: string, key: string): object {
  return bench.config({
    user: { token: undefined, 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
  });
}

const rsa = (bits: number) => ({ newKey: [`rsa:${bits}`] });
const curve = (name: string) => ({ newKey: ['ec', '-pkeyopt', `ec_paramgen_curve:${name}`] });
const WEAK = 'Weaker than this program allows by default. The sentence names the setting that allows it.';
/** A raw path would stand for all of the path. */
const GET_NODES = 'get nodes';
const LEGACY = { API_LEGACY_TLS: 'true' };
const NAMES_LEGACY = /KUBE_REGISTER_API_LEGACY_TLS=true/;
const OLD_TLS: ServerOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' };

/** A server whose TLS is of the time of fleet. */
interface OldServer {
  readonly name: string;
  /** What its TLS is made of, and the CA that a client is given. */
  make(bench: Bench): Promise<ServerOptions & { readonly ca: string }>;
  /** Why kubectl takes it. */
  readonly differs?: string;
}

async function old(bench: Bench, name: string, request: Parameters<Bench['leaf']>[1], options: ServerOptions = {}) {
  const root = await bench.root();
  const { cert, key } = await bench.leaf(name, { signedBy: root, ...request });
  return { ...options, cert, key, ca: root.cert };
}

/** Servers that are reached with the setting for legacy TLS alone. */
export const OLD_SERVERS: readonly OldServer[] = [
  { name: 'TLS 1.0 and 1.1 alone', make: (bench) => old(bench, 'plain', {}, OLD_TLS) },
  { name: 'TLS 1.0 alone', make: (bench) => old(bench, 'plain', {}, { ...OLD_TLS, maxVersion: 'TLSv1' }) },
  { name: 'leaf signed with SHA-1', make: (bench) => old(bench, 'sha1', { digest: 'sha1' }) },
  {
    name: 'intermediate signed with SHA-1',
    make: async (bench) => {
      const intermediate = await bench.root('sha1-ca', { signedBy: await bench.root(), digest: 'sha1' });
      const made = await old(bench, 'below-sha1', { signedBy: intermediate });
      return { ...made, cert: made.cert + intermediate.cert };
    },
  },
  { name: 'RSA key of 768 bits', make: (bench) => old(bench, 'rsa768', rsa(768)), differs: WEAK },
  {
    name: 'root with an RSA key of 768 bits',
    make: async (bench) => {
      const root = await bench.root('root768', rsa(768));
      return { ...(await old(bench, 'below-768', { signedBy: root })), ca: root.cert };
    },
    differs: WEAK,
  },
];

/** Each is tried without and with the setting that allows it. */
const LEGACY_KINDS: readonly Variant[] = [
  ...OLD_SERVERS.map(
    ({ make, ...others }): Variant => ({
      ...others,
      make: async (bench) => {
        const { ca, ...tls } = await make(bench);
        const server = await bench.lab.fronts.start({ tls });
        const data = { 'certificate-authority': undefined, 'certificate-authority-data': base64(ca) };
        return bench.config({ cluster: { server, ...data } });
      },
    }),
  ),
  {
    name: 'tls-server-name in a wildcard for a part of a label',
    make: (bench) => named(bench, 'api.lab.example', 'DNS:a*.lab.example'),
  },
  { name: 'tls-server-name in CN alone', make: (bench) => named(bench, 'kubernetes', '', '/CN=kubernetes') },
  {
    name: 'tls-server-name in CN beside an address in the subjectAltName',
    make: (bench) => named(bench, 'kubernetes', 'IP:127.0.0.1', '/CN=kubernetes'),
  },
  {
    name: 'client certificate with an RSA key of 768 bits',
    make: async (bench) => {
      const { cert, key } = await bench.client('client768', rsa(768));
      return identified(bench, cert, key);
    },
    differs: WEAK,
  },
];

export const TLS: readonly Variant[] = [
  {
    name: 'chain up to the root',
    make: async (bench) => {
      const { root, sent } = await chain(bench);
      return served(bench, sent, root.cert);
    },
  },
  {
    name: 'chain that is not sent, root as CA',
    make: async (bench) => {
      const { root, leaf } = await chain(bench);
      return served(bench, leaf, root.cert);
    },
  },
  {
    name: 'chain that is not sent, intermediate and root as CA',
    make: async (bench) => {
      const { root, intermediate, leaf } = await chain(bench);
      return served(bench, leaf, intermediate.cert + root.cert);
    },
  },
  {
    name: 'chain sent in the wrong order with the root in it',
    make: async (bench) => {
      const { root, intermediate, leaf } = await chain(bench);
      return served(bench, { ...leaf, cert: leaf.cert + root.cert + intermediate.cert }, root.cert);
    },
  },
  {
    name: 'intermediate as CA, the root is missing',
    make: async (bench) => {
      const { intermediate, sent } = await chain(bench);
      return served(bench, sent, intermediate.cert);
    },
  },
  {
    name: 'leaf as CA',
    make: async (bench) => {
      const { leaf } = await chain(bench);
      return served(bench, leaf, leaf.cert);
    },
  },
  {
    name: 'self-signed leaf as CA',
    make: async (bench) => {
      const leaf = await bench.leaf('self', {});
      return served(bench, leaf, leaf.cert);
    },
  },
  {
    name: 'self-signed leaf with CA:FALSE as CA',
    make: async (bench) => {
      const leaf = await bench.leaf('self-no-ca', { extensions: [HERE, 'basicConstraints=CA:FALSE'] });
      return served(bench, leaf, leaf.cert);
    },
  },
  {
    name: 'another CA',
    make: async (bench) => served(bench, await bench.leaf('plain', { signedBy: await bench.root() }), bench.ca),
    says: /put the CA certificate of this server in certificate-authority-data of cluster "real"/,
  },
  {
    name: 'no CA',
    make: (bench) => bench.config({ cluster: { 'certificate-authority': undefined } }),
    says: /put the CA certificate of this server in certificate-authority of cluster "real"/,
  },
  {
    name: 'CA of version 1, as `openssl req -x509` made them',
    make: async (bench) => {
      const root = await bench.root('root-v1', { extensions: [] });
      return served(bench, await bench.leaf('below-v1', { signedBy: root }), root.cert);
    },
  },
  {
    name: 'CA without basicConstraints',
    make: async (bench) => {
      const root = await bench.root('root-no-bc', { extensions: ['subjectKeyIdentifier=hash'] });
      return served(bench, await bench.leaf('below-no-bc', { signedBy: root }), root.cert);
    },
  },
  {
    name: 'CA whose keyUsage has no keyCertSign',
    make: async (bench) => {
      const root = await bench.root('root-no-sign', { extensions: [CA, 'keyUsage=digitalSignature'] });
      return served(bench, await bench.leaf('below-no-sign', { signedBy: root }), root.cert);
    },
  },
  {
    name: 'CA signed with SHA-1',
    make: async (bench) => {
      const root = await bench.root('root-sha1', { digest: 'sha1' });
      return served(bench, await bench.leaf('below-root-sha1', { signedBy: root }), root.cert);
    },
  },
  {
    name: 'CA with an RSA key of 1024 bits',
    make: async (bench) => {
      const root = await bench.root('root1024', rsa(1024));
      return served(bench, await bench.leaf('below-1024', { signedBy: root }), root.cert);
    },
  },
  {
    name: 'CA that has expired',
    make: async (bench) => {
      const root = await bench.root('root-old', { from: '20100101000000Z', until: '20200101000000Z' });
      return served(bench, await bench.leaf('below-old', { signedBy: root }), root.cert);
    },
    says: /has expired: renew it/,
  },
  {
    name: 'CA that has expired beside its successor with the same key',
    make: async (bench) => {
      const old = await bench.root('root-old', { from: '20100101000000Z', until: '20200101000000Z' });
      const root = await bench.root('root-renewed', { subject: '/CN=root-old', keyOf: old });
      return served(bench, await bench.leaf('below-old', { signedBy: old }), old.cert + root.cert);
    },
  },
  ...['first', 'last'].map(
    (place): Variant => ({
      name: `an old CA and a new one of its name, no key identifiers, the old one ${place} and in use`,
      make: async (bench) => {
        const one = await bench.root('twin-1', { subject: '/CN=twins' });
        const two = await bench.root('twin-2', { subject: '/CN=twins', until: '21500101000000Z' });
        const leaf = await bench.leaf('below-twin', { signedBy: one });
        return served(bench, leaf, place === 'first' ? one.cert + two.cert : two.cert + one.cert);
      },
    }),
  ),
  {
    name: 'CA and server of one name, no key identifiers',
    make: async (bench) => {
      const root = await bench.root('same-root', { subject: '/CN=kubernetes' });
      return served(bench, await bench.leaf('same-leaf', { subject: '/CN=kubernetes', signedBy: root }), root.cert);
    },
  },
  {
    name: 'CA cross-signed by another that has expired, which is sent too',
    make: async (bench) => {
      const expired = await bench.root('root-old', { from: '20100101000000Z', until: '20200101000000Z' });
      const root = await bench.root('cross', {});
      const crossed = await bench.root('crossed', { subject: '/CN=cross', keyOf: root, signedBy: expired });
      const leaf = await bench.leaf('below-cross', { signedBy: root });
      return served(bench, { ...leaf, cert: leaf.cert + crossed.cert }, root.cert);
    },
  },
  {
    name: 'comments between the PEM blocks',
    make: async (bench) =>
      bench.config({
        cluster: {
          'certificate-authority': await bench.write(
            'ca.pem',
            `# ours - not yours\n\n${(await bench.root()).cert}\nsubject=/CN=é\n${bench.ca}# end\n`,
          ),
        },
      }),
  },
  {
    name: 'PEM with CR LF',
    make: async (bench) =>
      bench.config({
        cluster: { 'certificate-authority': await bench.write('ca.pem', bench.ca.replaceAll('\n', '\r\n')) },
      }),
  },
  {
    name: 'PEM with a byte order mark',
    make: async (bench) =>
      bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', `\ufeff${bench.ca}`) } }),
    differs: 'Go finds no PEM block after a byte order mark, which says nothing of the certificate.',
  },
  {
    name: 'PEM in one long line',
    make: async (bench) =>
      bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', oneLine(bench.ca)) } }),
  },
  {
    name: 'PEM with spaces at the ends of lines',
    make: async (bench) =>
      bench.config({
        cluster: { 'certificate-authority': await bench.write('ca.pem', bench.ca.replaceAll('\n', '  \n')) },
      }),
  },
  {
    name: 'PEM that is indented',
    make: async (bench) =>
      bench.config({
        cluster: { 'certificate-authority': await bench.write('ca.pem', bench.ca.replaceAll(/^/gm, '    ')) },
      }),
  },
  {
    name: 'PEM without a line end at the end',
    make: async (bench) =>
      bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', bench.ca.trimEnd()) } }),
  },
  {
    name: 'a damaged certificate before the right one',
    make: async (bench) =>
      bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', DAMAGED + bench.ca) } }),
  },
  {
    name: 'a damaged certificate after the right one',
    make: async (bench) =>
      bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', bench.ca + DAMAGED) } }),
  },
  {
    name: 'a damaged certificate alone',
    make: async (bench) => bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', DAMAGED) } }),
  },
  {
    name: 'a block of another kind before the certificate',
    make: async (bench) =>
      bench.config({
        cluster: { 'certificate-authority': await bench.write('ca.pem', (await bench.root()).key + bench.ca) },
      }),
  },
  {
    name: 'a TRUSTED CERTIFICATE of openssl',
    make: async (bench) =>
      bench.config({
        cluster: {
          'certificate-authority': await bench.write(
            'ca.pem',
            await bench.lab.openssl('x509', '-in', bench.caFile, '-trustout'),
          ),
        },
      }),
  },
  {
    name: 'CA in DER',
    make: async (bench) =>
      bench.config({ cluster: { 'certificate-authority': await bench.write('ca.der', der(bench.ca)) } }),
  },

  { name: 'RSA key of 1024 bits', make: (bench) => odd(bench, 'rsa1024', rsa(1024)) },
  { name: 'P-384 key', make: (bench) => odd(bench, 'p384', curve('P-384')) },
  {
    name: 'P-521 key signed with SHA-512',
    make: (bench) => odd(bench, 'p521', { ...curve('P-521'), digest: 'sha512' }),
  },
  { name: 'Ed25519 key', make: (bench) => odd(bench, 'ed25519', { newKey: ['ed25519'] }) },
  { name: 'TLS 1.2 alone', make: (bench) => odd(bench, 'plain', {}, { maxVersion: 'TLSv1.2' }) },
  { name: 'TLS 1.3 alone', make: (bench) => odd(bench, 'plain', {}, { minVersion: 'TLSv1.3' }) },
  {
    name: 'TLS 1.2 with RSA key exchange and CBC alone',
    make: (bench) => odd(bench, 'rsa2048', rsa(2048), { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA@SECLEVEL=0' }),
  },
  {
    name: 'name in CN alone',
    make: (bench) => odd(bench, 'cn', { subject: '/CN=127.0.0.1', extensions: [] }),
    says: /no usable subjectAltName .*: reissue it with one/,
  },
  {
    name: 'IP address as a DNS name',
    make: (bench) => odd(bench, 'ip-dns', { extensions: ['subjectAltName=DNS:127.0.0.1'] }),
  },
  {
    name: 'another name',
    make: (bench) => odd(bench, 'elsewhere', { extensions: ['subjectAltName=DNS:kubernetes'] }),
    says: /is for other names \(kubernetes\): use one of them in server of cluster "real" in .*, or in tls-server-name of cluster "real"/,
  },
  {
    name: 'tls-server-name',
    make: (bench) => named(bench, 'kubernetes', 'DNS:kubernetes'),
  },
  { name: 'tls-server-name that is wrong', make: (bench) => named(bench, 'docker', 'DNS:kubernetes') },
  { name: 'tls-server-name below a wildcard', make: (bench) => named(bench, 'api.lab.example', 'DNS:*.lab.example') },
  {
    name: 'tls-server-name two labels below a wildcard',
    make: (bench) => named(bench, 'a.api.lab.example', 'DNS:*.lab.example'),
  },
  { name: 'tls-server-name that is an address', make: (bench) => named(bench, '10.0.0.1', 'IP:10.0.0.1') },
  { name: 'tls-server-name with a dot at its end', make: (bench) => named(bench, 'kubernetes.', 'DNS:kubernetes') },
  { name: 'tls-server-name with an underscore', make: (bench) => named(bench, 'kube_api', 'DNS:kube_api') },
  { name: 'tls-server-name below a wildcard of one label', make: (bench) => named(bench, 'api.lan', 'DNS:*.lan') },
  { name: 'tls-server-name that is a wildcard', make: (bench) => named(bench, '*.lab.example', 'DNS:*.lab.example') },
  { name: 'names in capitals', make: (bench) => named(bench, 'kubernetes', 'DNS:KUBERNETES') },
  { name: 'tls-server-name in capitals', make: (bench) => named(bench, 'KUBERNETES', 'DNS:kubernetes') },
  {
    name: 'certificate that has expired',
    make: (bench) => odd(bench, 'expired', { from: '20100101000000Z', until: '20200101000000Z' }),
    says: /has expired: renew it/,
  },
  {
    name: 'certificate that is not valid yet',
    make: (bench) => odd(bench, 'early', { from: '20900101000000Z' }),
    says: /not valid yet/,
  },
  {
    name: 'certificate for clients alone',
    make: (bench) => odd(bench, 'clients', { extensions: [HERE, 'extendedKeyUsage=clientAuth'] }),
    says: /no serverAuth/,
  },
  {
    name: 'certificate with a critical extension that nobody knows',
    make: (bench) => odd(bench, 'critical', { extensions: [HERE, '1.2.3.4=critical,ASN1:NULL'] }),
  },
  {
    name: 'insecure-skip-tls-verify where nothing is right',
    make: async (bench) => {
      const { cert, key } = await bench.leaf('wrong', {
        extensions: ['subjectAltName=DNS:elsewhere'],
        until: '20210101000000Z',
      });
      const server = await bench.lab.fronts.start({ tls: { cert, key } });
      return bench.config({
        cluster: { server, 'certificate-authority': undefined, 'insecure-skip-tls-verify': true },
      });
    },
  },
  ...LEGACY_KINDS.map((kind): Variant => ({ ...kind, says: NAMES_LEGACY })),
  ...LEGACY_KINDS.map(
    ({ name, make, differs }): Variant => ({
      name: `${name}, with LEGACY_TLS`,
      make,
      settings: LEGACY,
      ...(differs === undefined && { differs: 'The setting allows what kubectl refuses.' }),
    }),
  ),

  {
    name: 'path before the API',
    command: GET_NODES,
    make: async (bench) => {
      const { cert, key } = await bench.leaf('plain', { signedBy: await bench.root() });
      const server = await bench.lab.fronts.start({ tls: { cert, key }, prefix: '/k8s/clusters/c-1' });
      const ca = base64((await bench.root()).cert);
      return bench.config({
        cluster: {
          server: `${server}/k8s/clusters/c-1`,
          'certificate-authority': undefined,
          'certificate-authority-data': ca,
        },
      });
    },
  },
  {
    name: 'path before the API, with a slash at its end',
    command: GET_NODES,
    make: async (bench) => {
      const { cert, key } = await bench.leaf('plain', { signedBy: await bench.root() });
      const server = await bench.lab.fronts.start({ tls: { cert, key }, prefix: '/k8s' });
      const ca = (await bench.root()).certFile;
      return bench.config({ cluster: { server: `${server}/k8s/`, 'certificate-authority': ca } });
    },
  },
  {
    name: 'plain http on this machine',
    differs: 'kubectl sends no credentials over http. Here they are sent, to this machine alone.',
    make: async (bench) => bench.config({ cluster: { server: await bench.lab.fronts.start({}) } }),
  },
  {
    name: 'plain http on this machine, server without a scheme and a CA',
    make: async (bench) => {
      const server = await bench.lab.fronts.start({});
      return bench.config({ cluster: { server: server.replace('http://', ''), 'certificate-authority': undefined } });
    },
  },
  {
    name: 'redirect to the API server',
    make: async (bench) => {
      const root = await bench.root();
      const { cert, key } = await bench.leaf('plain', { signedBy: root });
      const server = await bench.lab.fronts.start({ tls: { cert, key }, redirectTo: bench.url });
      const ca = await bench.write('ca.pem', root.cert + bench.ca);
      return bench.config({ cluster: { server, 'certificate-authority': ca } });
    },
    differs: 'kubectl sends the token wherever a redirect leads. The sentence names the server that it leads to.',
    says: /redirected to 127\.0\.0\.1:\d+; redirects are not followed; check server of cluster "real"/,
  },

  {
    name: 'client certificate and key as data',
    make: async (bench) => {
      const { cert, key } = await bench.client();
      return identified(bench, cert, key);
    },
  },
  {
    name: 'client certificate and key by relative paths',
    make: async (bench) => {
      const { cert, key } = await bench.client();
      await bench.write('client.pem', cert);
      await bench.write('client.key', key);
      return bench.config({
        user: { token: undefined, 'client-certificate': 'client.pem', 'client-key': './client.key' },
      });
    },
  },
  {
    name: 'client certificate as data, key in a file',
    make: async (bench) => {
      const { cert, keyFile } = await bench.client();
      return bench.config({
        user: { token: undefined, 'client-certificate-data': base64(cert), 'client-key': keyFile },
      });
    },
  },
  {
    name: 'client certificate as data and in a file',
    differs: 'The data count and the file is not read, as kubectl says in its refusal.',
    make: async (bench) => {
      const { cert, key, certFile } = await bench.client();
      return bench.config({
        user: {
          token: undefined,
          'client-certificate': certFile,
          'client-certificate-data': base64(cert),
          'client-key-data': base64(key),
        },
      });
    },
  },
  {
    name: 'client certificate without a key',
    make: async (bench) =>
      bench.config({ user: { token: undefined, 'client-certificate': (await bench.client()).certFile } }),
  },
  {
    name: 'client certificate without a key, beside a token',
    make: async (bench) => bench.config({ user: { 'client-certificate': (await bench.client()).certFile } }),
  },
  {
    name: 'client key without a certificate, beside a token',
    make: async (bench) => bench.config({ user: { 'client-key': (await bench.client()).keyFile } }),
  },
  {
    name: 'client key of another certificate',
    make: async (bench) => identified(bench, (await bench.client()).cert, (await bench.client('client-2')).key),
  },
  {
    name: 'client certificate and key in one file',
    make: async (bench) => {
      const { cert, key } = await bench.client();
      const file = await bench.write('both.pem', key + cert);
      return bench.config({ user: { token: undefined, 'client-certificate': file, 'client-key': file } });
    },
  },
  {
    name: 'client certificate below an intermediate that is sent',
    make: async (bench) => {
      const intermediate = await bench.lab.certificate('client-ca', { extensions: [CA], signedBy: bench.authority });
      const { cert, key } = await bench.client('client-chained', { signedBy: intermediate });
      return identified(bench, cert + intermediate.cert, key);
    },
  },
  {
    name: 'client certificate after its intermediate',
    make: async (bench) => {
      const intermediate = await bench.lab.certificate('client-ca', { extensions: [CA], signedBy: bench.authority });
      const { cert, key } = await bench.client('client-chained', { signedBy: intermediate });
      return identified(bench, intermediate.cert + cert, key);
    },
  },
  {
    name: 'client certificate beside a token of nobody',
    make: async (bench) => {
      const { certFile, keyFile } = await bench.client();
      return bench.config({ user: { token: 'wrong', 'client-certificate': certFile, 'client-key': keyFile } });
    },
  },
  {
    name: 'client certificate and username',
    make: async (bench) => {
      const { certFile, keyFile } = await bench.client();
      return bench.config({
        user: { token: undefined, username: 'admin', 'client-certificate': certFile, 'client-key': keyFile },
      });
    },
  },
  {
    name: 'client certificate that has expired',
    make: async (bench) => {
      const { cert, key } = await bench.client('client-old', { from: '20100101000000Z', until: '20200101000000Z' });
      return identified(bench, cert, key);
    },
    says: /the certificate has expired/,
  },
  {
    name: 'client certificate that has expired beside a token',
    make: async (bench) => {
      const { certFile, keyFile } = await bench.client('client-old', {
        from: '20100101000000Z',
        until: '20200101000000Z',
      });
      return bench.config({ user: { 'client-certificate': certFile, 'client-key': keyFile } });
    },
  },
  {
    name: 'client certificate of another CA',
    make: async (bench) => {
      const { cert, key } = await bench.client('client-other', { signedBy: await bench.root() });
      return identified(bench, cert, key);
    },
  },
  {
    name: 'client certificate signed with SHA-1',
    make: async (bench) => {
      const { cert, key } = await bench.client('client-sha1', { digest: 'sha1' });
      return identified(bench, cert, key);
    },
  },
  {
    name: 'client certificate with an RSA key of 1024 bits',
    make: async (bench) => {
      const { cert, key } = await bench.client('client1024', rsa(1024));
      return identified(bench, cert, key);
    },
  },
  {
    name: 'client certificate with an RSA key of 512 bits',
    make: async (bench) => {
      const { cert, key } = await bench.client('client512', rsa(512));
      return identified(bench, cert, key);
    },
  },
  {
    name: 'client certificate for servers alone',
    make: async (bench) => {
      const { cert, key } = await bench.client('client-server', { extensions: ['extendedKeyUsage=serverAuth'] });
      return identified(bench, cert, key);
    },
  },
  ...clientKeys(),
];

/** The same client key in the forms that openssl writes. */
function clientKeys(): readonly Variant[] {
  const forms: readonly (readonly [string, string, readonly string[]])[] = [
    ['PKCS#1 (RSA PRIVATE KEY)', 'rsa', ['rsa', '-traditional']],
    ['PKCS#8 (PRIVATE KEY)', 'rsa', ['pkey']],
    ['PKCS#1 encrypted', 'rsa', ['rsa', '-traditional', '-aes128', '-passout', 'pass:secret']],
    ['PKCS#8 encrypted', 'rsa', ['pkey', '-aes128', '-passout', 'pass:secret']],
    ['SEC 1 (EC PRIVATE KEY)', 'ec', ['ec']],
    ['SEC 1 in explicit parameters', 'ec', ['ec', '-param_enc', 'explicit']],
    ['Ed25519 in PKCS#8', 'ed25519', ['pkey']],
  ];
  const make =
    (kind: string, args: readonly string[], change = (key: string) => key) =>
    async (bench: Bench) => {
      const newKey = kind === 'rsa' ? rsa(2048) : kind === 'ec' ? {} : { newKey: ['ed25519'] };
      const { cert, keyFile } = await bench.client(`client-${kind}`, newKey);
      return identified(bench, cert, change(await bench.lab.openssl(...args, '-in', keyFile)));
    };
  return [
    ...forms.map(
      ([form, kind, args]): Variant => ({
        name: `client key in ${form}`,
        make: make(kind, args),
        ...(form.includes('explicit') && { differs: 'OpenSSL reads this form, Go does not. It is the same key.' }),
        ...(form.includes('encrypted') && { says: /encrypted; use a key without a passphrase/ }),
      }),
    ),
    { name: 'client key after EC PARAMETERS', make: make('ec', ['ec'], (key) => EC_PARAMETERS + key) },
    {
      name: 'client key after the attributes of a PKCS#12 bag',
      make: make(
        'rsa',
        ['pkey'],
        (key) => `Bag Attributes\n    friendlyName: ENCRYPTED\nKey Attributes: <No Attributes>\n${key}`,
      ),
    },
    { name: 'client key in one long line', make: make('ec', ['pkey'], oneLine) },
    { name: 'client key before another one', make: make('ec', ['pkey'], (key) => key + EC_KEY) },
  ];
}

/** P-256. */
const EC_PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

/** Of nobody. */
const EC_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----
`;

/** A certificate that was cut. */
const DAMAGED = '-----BEGIN CERTIFICATE-----\nMIIBfzCCASWgAwIBAgIUAAAA\n-----END CERTIFICATE-----\n';

function oneLine(pem: string): string {
  return pem.replaceAll(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, '');
}

function der(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----.*-----/g, ''), 'base64');
}

/** A front whose certificate is for these names, by another name than that in its address. */
async function named(bench: Bench, servername: string, names: string, subject = '/CN=server'): Promise<object> {
  const root = await bench.root();
  const extensions = names === '' ? [] : [`subjectAltName=${names}`];
  const file = `for-${`${names}${subject}`.replaceAll(/\W/g, '-')}`;
  const { cert, key } = await bench.leaf(file, { signedBy: root, extensions, subject });
  const server = await bench.lab.fronts.start({ tls: { cert, key } });
  return bench.config({ cluster: { server, 'certificate-authority': root.certFile, 'tls-server-name': servername } });
}
