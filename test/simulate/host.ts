/** A physical host, as it is, and what its kubelet and its fleetd say of it, which is drawn apart from that. */

/** `default` and `other` are two fleets that share one API server. */
export type FleetName = 'default' | 'other';

/**
 * - `healthy`: answers 200, reports Ready=True
 * - `unready`: answers 200, reports Ready=False (a node that was reinstalled and has no network yet)
 * - `failing`: answers 500, reports Ready=False
 * - `flapping`: crashes and is started again, over and over
 * - `hung`: accepts connections, answers and reports nothing
 * - `stopped`: does not run
 */
export type KubeletState = 'healthy' | 'unready' | 'failing' | 'flapping' | 'hung' | 'stopped';

/** The id that every kubelet in a container of one image reports. */
const IMAGE_ID = '0123456789abcdef0123456789abcdef';
/** The address that every host of a Vagrant cluster has. */
export const NAT_ADDRESS = '10.0.2.15';

export interface Host {
  /** The hostname; never changes. */
  readonly name: string;
  readonly fleet: FleetName;
  address: string;
  /** /etc/machine-id on its disk. */
  machineId: string;
  /** It has no disk: a new machine id at each boot. */
  isDiskless: boolean;
  metadata: Readonly<Record<string, string>>;
  isOn: boolean;
  /** Its network is down: nobody reaches it, and it reaches nobody. */
  isCutOff: boolean;
  hasAgent: boolean;
  /** What its fleetd believes to be its address. */
  announces: 'address' | 'loopback' | 'nothing';
  kubelet: KubeletState;
  /** A flapping kubelet is between two crashes. */
  isDown: boolean;
  /** It has lost the API server's balancer. */
  reachesApi: boolean;
  /** The health ports are closed by a firewall. */
  isFirewalled: boolean;
  hasExpiredCertificate: boolean;
  namedBy: 'address' | 'hostname' | 'override' | 'localhost';
  /** The node that its kubelet believes to be. */
  nodeName: string;
  /** A kubelet of v0.18 or later creates its node when it starts. */
  registersItself: boolean;
  /** The kubelet has started, and has not yet found or created its node. */
  isRegistering: boolean;
  reportsId: 'own' | 'image' | 'nothing';
  reportsAddresses: 'own' | 'own and NAT' | 'NAT' | 'loopback' | 'nothing';
  /** When anything changed that decides whether its kubelet can be reached or posts. */
  changedAtMs: number;
}

export function runsKubelet({ isOn, kubelet, isDown }: Host): boolean {
  return isOn && kubelet !== 'stopped' && !(kubelet === 'flapping' && isDown);
}

/** What a kubelet of the host says to whoever gets through to its health port; undefined for silence. */
export function answerOf(host: Host): 'healthy' | 'answers' | undefined {
  if (!runsKubelet(host) || host.isCutOff || host.kubelet === 'hung') return undefined;
  return host.kubelet === 'failing' || host.hasExpiredCertificate ? 'answers' : 'healthy';
}

/** Whether a status that its kubelet sends arrives, as far as that depends on the host. */
export function canPost(host: Host): boolean {
  return runsKubelet(host) && host.kubelet !== 'hung' && !host.isCutOff && host.reachesApi;
}

/** The names that a kubelet gives itself. An override is a name that nothing else knows. */
export function nameFor({ name, address, namedBy }: Pick<Host, 'name' | 'address' | 'namedBy'>): string {
  const names = { address, hostname: name, override: `${name}.override`, localhost: 'localhost' };
  return names[namedBy];
}

export function reportedId({ reportsId, machineId }: Host): string {
  return { own: machineId, image: IMAGE_ID, nothing: '' }[reportsId];
}

export function reportedAddresses({ reportsAddresses, address }: Host): readonly string[] {
  const addresses = {
    own: [address],
    'own and NAT': [NAT_ADDRESS, address],
    NAT: [NAT_ADDRESS],
    loopback: ['127.0.0.1'],
    nothing: [],
  };
  return addresses[reportsAddresses];
}

/** What fleet is told to be its address. */
export function announcedAddress({ announces, address }: Host): string | undefined {
  return { address, loopback: '127.0.0.1', nothing: undefined }[announces];
}
