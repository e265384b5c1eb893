/** Every sentence of the program that names a setting, a flag or a command, and how it is known that following it helps. */

/**
 * - `case`: a fault in advice.test.ts prints it, and is gone once it was followed
 * - `test`: another test file follows it
 * - `choose`: only a person can follow it, because it takes a decision
 * - `fact`: it advises nothing
 */
export type Way =
  | { readonly case: string }
  | { readonly test: string; readonly title: string }
  | { readonly choose: string }
  | { readonly fact: true };

const fact: Way = { fact: true };
const choose = (what: string): Way => ({ choose: what });
const followed = (name: string): Way => ({ case: name });
const elsewhere = (test: string, title: string): Way => ({ test, title });

/** By sentence; what the program puts in is `…`. */
export const ADVICE: ReadonlyMap<string, Way> = new Map([
  ['kept; if it is the node of another host: kubectl annotate node … …-', choose('whose node it is')],
  [
    ', or in …',
    elsewhere(
      'http-tls.test.ts',
      'in a kubeconfig: the fields of a wrong name, and the names that the certificate has',
    ),
  ],
  [', or set …, which allows TLS 1.0, SHA-1 and small keys', elsewhere('http-tls.test.ts', 'a server with legacy TLS')],
  [', or set …, which allows it', elsewhere('http-tls.test.ts', 'a server with legacy TLS')],
  ['curl -sSk -m 5 …', fact],
  ['fleetctl list-machines --full --no-legend | grep …', fact],
  [
    'fleetctl list-units shows its machine; then: ssh MACHINE kube-register status',
    choose('of the machine to look on'),
  ],
  ['fleetctl ssh … cat /etc/fleet/fleet.conf', fact],
  ['kube-register status --watch …', fact],
  ['kubectl annotate node … kube-register.io/keep-', choose('whether the veto is still wanted')],
  ['kubectl annotate node … kube-register.io/keep=true', choose('whether the machine comes back')],
  ['kubectl delete node …', choose('whether the machine is gone for good')],
  ['kubectl describe node …', fact],
  ['kubectl uncordon …', choose('whether the cordon is still wanted')],
  ['… journalctl -u kubelet -n 50 --no-pager', fact],
  ['… sudo systemctl restart fleet', choose('what else has the address of the machine')],
  ['… sudo systemctl restart kubelet', choose('why it stopped')],
  ['… sudo systemctl stop kubelet', choose('whether the machine is to be a node')],
  ['… systemctl status fleet', fact],
  ['… systemctl status kubelet', fact],
  ['--certificate-authority=…', followed('a CA of a kubeconfig')],
  ['--client-certificate=… --client-key=…', followed('no client certificate in a kubeconfig')],
  ['--heap-growing-percent=50', fact],
  ['--heap-growing-percent=60', fact],
  ['--semi-space-growth-factor=1', fact],
  ['--semi-space-growth-factor=2', fact],
  [
    'see kube-register --help',
    elsewhere('../unit/commands/cli/command-line.test.ts', '"run": unknown command; see kube-register --help'),
  ],
  ['see kube-register help settings', followed('a setting that there is not')],
  ['see kube-register help verdicts', elsewhere('../unit/commands/cli/help.test.ts', 'on verdicts explains each')],
  [
    '--hostname-override=… in the unit of that kubelet, or KUBE_REGISTER_NODE_NAME=ip',
    choose('which of the names to keep'),
  ],
  ['--server=…', followed('a server of a kubeconfig that is not there')],
  ['--tls-server-name=…', followed('a name of a kubeconfig that the certificate does not have')],
  ['--token="$(…)"', followed('a token of a kubeconfig that the server does not know')],
  [
    '--volume=/etc/machine-id:/etc/machine-id:ro in the unit that runs the kubelet in a container; on a cloned host: rm /etc/machine-id && systemd-machine-id-setup && reboot',
    followed('kubelets that report the machine ID of their image'),
  ],
  [
    '; kube-register does not use proxies, … included: the server must be reachable directly',
    choose('of a way to the server without a proxy'),
  ],
  [
    'GET …/status: the connection was refused: is kube-register running there? check --daemon',
    choose('of the address of the daemon'),
  ],
  ['KUBE_REGISTER_API_TOKEN_FILE=/path/of/a/token', followed('no token')],
  ['KUBE_REGISTER_API_VERSION=auto', followed('an API version that the server does not have')],
  ['KUBE_REGISTER_EVENTS=false', fact],
  ['KUBE_REGISTER_FLEET_LEGACY_TLS=true', fact],
  [
    'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:PORT/healthz',
    followed('a node that is Ready while its kubelet is unreachable'),
  ],
  ['KUBE_REGISTER_HEALTHZ_URL=…', followed('kubelets at a usual port')],
  [
    "KUBE_REGISTER_KUBECONFIG: insecure-skip-tls-verify: the server's certificate is not verified: anyone on the network path can impersonate the API server and read the credentials",
    choose('of a CA for the server'),
  ],
  [
    'KUBE_REGISTER_KUBELET_CA_FILE=/path/of/the/kubelets/ca.pem',
    elsewhere('kubelet-eras.test.ts', 'shows kubelets the token and the client certificate that are set'),
  ],
  ['KUBE_REGISTER_LISTEN is on the loopback interface, which other machines cannot reach', fact],
  ['KUBE_REGISTER_LISTEN has no fixed port', fact],
  [
    'No daemon was asked: KUBE_REGISTER_LISTEN has no fixed port, so it is not known whether one registers and deregisters nodes',
    fact,
  ],
  ['KUBE_REGISTER_LISTEN=0.0.0.0:…', followed('an address that this machine does not have')],
  ['KUBE_REGISTER_LISTEN=off: no status page and no metrics', fact],
  ["KUBE_REGISTER_METADATA=''", followed('a selector for metadata that no machine has any of')],
  ['KUBE_REGISTER_METADATA=…=…', followed('a selector that no machine matches')],
  ['KUBE_REGISTER_NODE_LABELS: no machine has metadata …; no label is removed meanwhile; check the key', fact],
  ['KUBE_REGISTER_NODE_LABELS=…', followed('metadata for labels that no machine has')],
  ['KUBE_REGISTER_NODE_NAME=…', followed('names that no node can have')],
  ['KUBE_REGISTER_ONCE=true: one pass cannot watch a grace period', fact],
  ['KUBE_REGISTER_API_TIMEOUT=…', followed('an API server that is slow')],
  ['KUBE_REGISTER_FLEET_TIMEOUT=…', followed('a fleet that is slow')],
  ['KUBE_REGISTER_PASS_TIMEOUT is …', fact],
  ['KUBE_REGISTER_PASS_TIMEOUT=…', followed('a pass that takes too long')],
  ['KUBE_REGISTER_POLICY=register-only', fact],
  ['METADATA …', fact],
  ['METADATA=…', fact],
  ['NODE_LABELS is empty: no metadata is copied', fact],
  ['KUBE_REGISTER_NODE_NAME gives it no name', fact],
  ['NODE_NAME=… gives … of … no valid node name', fact],
  ['NODE_NAME=… names …', fact],
  ['The API server accepts the names that `NODE_NAME` gives.', fact],
  ['The address of `LISTEN` is free, or a kube-register listens there. `WEB_CONFIG_FILE` can be used.', fact],
  ['The metadata of `NODE_LABELS` can be copied to labels.', fact],
  ['fleet lists machines, some match `METADATA`, and these have a usable address.', fact],
  [
    'will be adopted once its kubelet is reachable or the node is reporting; if it is not in use: kubectl delete node …',
    choose('whether the node is in use'),
  ],
  ['an empty METADATA', fact],
  ['set KUBE_REGISTER_LISTEN to another host:port or off', followed('an address that this machine does not have')],
  [
    'Or set KUBE_REGISTER_WEB_CONFIG_FILE (TLS and logins), or KUBE_REGISTER_STATUS_ACCESS=all (everybody who reaches this port).',
    elsewhere(
      'web-access.test.ts',
      'with STATUS_ACCESS=all, everybody sees everything, under the names of this machine',
    ),
  ],
  [
    'Where the proxy decides who sees it, set KUBE_REGISTER_STATUS_ACCESS=all and KUBE_REGISTER_LISTEN=127.0.0.1:…, so that only this machine reaches the port.',
    choose('who decides what the proxy shows'),
  ],
  [
    'This port asks for a client certificate that the CA of client_ca_file in KUBE_REGISTER_WEB_CONFIG_FILE has signed; ….',
    elsewhere('web-access.test.ts', 'where a client certificate is required, everybody elsewhere needs a valid one'),
  ],
  [
    'a user of basic_auth_users in KUBE_REGISTER_WEB_CONFIG_FILE',
    elsewhere('web-access.test.ts', 'who logs in sees everything, and nobody else sees more than health'),
  ],
  [
    '401: the daemon asks for a login, which it does not on its own machine, unless KUBE_REGISTER_STATUS_ACCESS=login; …',
    choose('of a way to the machine of the daemon'),
  ],
  [
    '401: the daemon asks everyone for a login (KUBE_REGISTER_STATUS_ACCESS=login), and this command has none; log in on the page, …, or with curl -u USER …',
    elsewhere('web-access.test.ts', 'who logs in sees everything, and nobody else sees more than health'),
  ],
  ['KUBE_REGISTER_WEB_CONFIG_FILE: …', fact],
  ['KUBE_REGISTER_WEB_CONFIG_FILE: it cannot be read (…)', fact],
  ['rack=r1 unreachable -verdict:keep', fact],
  [
    '…: it has no basic_auth_users and no client_auth_type, so with KUBE_REGISTER_STATUS_ACCESS=login nobody could see the status',
    choose('who may see the status'),
  ],
  ['…; it is a verdict: kube-register status --verdict …', choose('what the command is to show')],
  ['curl --insecure --max-time 5 …', choose('what to do by what the command shows')],
  [
    'deletion guard active: … of …… … not alive (…%, limit …%): …; no node is deregistered…; repair their kubelets or the network to them; if their machines are gone: kubectl delete node NAME…',
    choose('whether the node is in use'),
  ],
  [
    ', or restart with KUBE_REGISTER_MAX_DEREGISTER_PERCENT=100, wait for the grace period, and restart with the old value',
    choose('whether the nodes are in use'),
  ],
  ['etcdctl cluster-health', choose('what to do by what the command shows')],
  ['etcdctl ls --recursive /_coreos.com/fleet/machines', choose('what to do by what the command shows')],
  ['fleetctl list-machines', choose('what to do by what the command shows')],
  ['fleetctl list-machines --full', choose('what to do by what the command shows')],
  ['fleetctl list-units | grep kube-register', choose('what to do by what the command shows')],
  ['fleetctl list-units | grep kubelet', choose('what to do by what the command shows')],
  [
    'fleetctl status kube-apiserver.service || systemctl status kube-apiserver',
    choose('what to do by what the command shows'),
  ],
  [
    'will be removed once its finalizers are gone; if their controller no longer runs: kubectl patch node … --type=merge -p \'{"metadata":{"finalizers":null}}\'',
    choose('whether the node is in use'),
  ],
  [
    'contains quotation marks, which docker --env-file does not remove: write the value without them',
    followed('quotes of a file of variables'),
  ],
  ['if it uses another name now: kubectl delete node …', choose('whether the node is in use')],
  ['redirected to …; redirects are not followed; check …', choose('whether the other server is the one that is meant')],
  ['its certificate is not signed by a CA in KUBELET_CA_FILE', fact],
  ['journalctl -u fleet -n 50', choose('what to do by what the command shows')],
  [
    'kept while its status cannot be read; to see it: kubectl get node … -o yaml',
    choose('what to do by what the command shows'),
  ],
  [
    'kept; its kubelet posts less often than the controller manager waits: compare --node-status-update-frequency with --node-monitor-grace-period; check KUBE_REGISTER_HEALTHZ_URL and firewalls',
    choose('which of the two to change'),
  ],
  [
    'kept; check KUBE_REGISTER_HEALTHZ_URL and firewalls: its kubelet is probably alive, since Kubernetes marks a dead node Unknown after 40s by default',
    choose('which of the causes it is'),
  ],
  [
    'kept; check KUBE_REGISTER_HEALTHZ_URL and firewalls; if the kubelet is dead, check that the controller manager runs and marks dead nodes',
    choose('which of the causes it is'),
  ],
  ['if the machine is retired: kubectl delete node …', choose('whether the node is in use')],
  ['if it is not in use: kubectl delete node …', choose('whether the node is in use')],
  ['kept; if it is dead: kubectl delete node …', choose('whether the node is in use')],
  [
    'kept; check that fleet and its etcd run on that machine and that no other host has its address; if that machine is gone: kubectl delete node …',
    choose('which of the causes it is'),
  ],
  [
    'kept; stop the kubelet on that machine, or correct its metadata or KUBE_REGISTER_METADATA',
    choose('whether the machine is to be a node'),
  ],
  ['kept; if it is not in use: kubectl delete node …', choose('whether the node is in use')],
  ['kept; if its kubelet does not use this name: kubectl delete node …', choose('whether the node is in use')],
  [
    'kept; to manage it here: kubectl annotate --overwrite node … …=…',
    elsewhere('../real/kubectl.test.ts', 'manages the nodes of a former OWNER_ID'),
  ],
  ['--selector …', fact],
  ['--verdict …', fact],
  ['--unit: …: …', choose('the path of the unit')],
  ['--unit: … has no section [Service]: it is no unit', choose('the path of the unit')],
  [
    '--unit: …: the specifier … is not read; write its value',
    elsewhere('../unit/commands/check/unit.test.ts', 'such as %j is refused'),
  ],
  ['--unit: …: …: …', elsewhere('../unit/commands/check/unit.test.ts', 'such as %j is refused')],
  [
    '--unit: …:…: EnvironmentFile=…: patterns and specifiers are not read',
    elsewhere('../unit/commands/check/unit.test.ts', 'such as %j is refused'),
  ],
  [
    'KUBECONFIG is set, but only commands read it; the daemon uses …: set … instead',
    elsewhere(
      '../unit/settings/settings.test.ts',
      'is not for the daemon, which warns where KUBECONFIG is all that it has',
    ),
  ],
  ['KUBECONFIG=…', fact],
  [
    'KUBE_REGISTER_KUBECONFIG=…',
    elsewhere(
      'check.test.ts',
      'takes the API server of kubectl where no setting names one, and says that the daemon does not',
    ),
  ],
  [
    'context … has its cluster or its user in another file; put them into one: kubectl config view --flatten --minify > FILE',
    elsewhere('../unit/kubernetes/access/kubeconfig.test.ts', 'with %s are refused: kubectl can put them into one'),
  ],
  ['export and unset are for this shell. For a unit, this names the file and the line:', fact],
  [
    'systemctl cat kube-register.service | kube-register check --unit -',
    elsewhere('check.test.ts', 'takes the settings of a unit, and says on which line a setting has to be mended'),
  ],
  [
    'see kube-register … --help',
    elsewhere(
      '../unit/commands/cli/help.test.ts',
      'on %s has a sentence, the usage, two examples that can be typed, every flag and the exit codes',
    ),
  ],
  ['kube-register … runs one pass and does not listen (KUBE_REGISTER_ONCE)', fact],
  [
    'kube-register.io/keep is set: kubectl annotate node … kube-register.io/keep-',
    choose('whether the veto is still wanted'),
  ],
  ['kubectl -n NAMESPACE delete pod POD', choose('when the pod can be replaced')],
  ['kubectl -n kube-register create token kube-register', followed('a token that the server does not know')],
  [
    'kube-register manifests rbac-v1beta1 | kubectl apply -f -',
    elsewhere('../unit/deploy/rbac.test.ts', 'are the same in both'),
  ],
  ['kube-register manifests rbac | kubectl apply -f -', followed('no right to create nodes')],
  ['kubectl config set-cluster … … --kubeconfig …', followed('a CA of a kubeconfig')],
  ['kubectl config set-credentials … … --kubeconfig …', followed('no client certificate in a kubeconfig')],
  ['kubectl get --raw /healthz', choose('what to do by what the command shows')],
  ['kubectl get endpoints kubernetes', choose('what to do by what the command shows')],
  ['kube-register status --verdict held', choose('what to do by what the command shows')],
  ["kubectl get nodes -o jsonpath='{.items[*].metadata.finalizers}'", choose('what to do by what the command shows')],
  ['kubectl get nodes -o wide', choose('what to do by what the command shows')],
  ['ls -l /var/run/secrets/kubernetes.io/serviceaccount/', choose('what to do by what the command shows')],
  ['managed by the kube-register with KUBE_REGISTER_OWNER_ID=…', fact],
  [
    'means NODE_NAME=reverse-lookup, but … has another value; set only one of them',
    followed('two settings that contradict each other'),
  ],
  [
    'neither machines nor nextPageToken, and not empty: this is not a list of fleet machines; check KUBE_REGISTER_FLEET_ENDPOINT',
    choose('which server the endpoint is to name'),
  ],
  ['not adopted: KUBE_REGISTER_ADOPT=false', fact],
  ['never touched; if it is dead: kubectl delete node …', choose('whether the node is in use')],
  ['never touched; if it is not in use: kubectl delete node …', choose('whether the node is in use')],
  ['no complete response within … (…)…', choose('how long to wait')],
  ['no credentials were sent; set …', followed('no token')],
  [
    'none of them is deregistered; for each node that is not in use: kubectl delete node NAME',
    choose('whether the node is in use'),
  ],
  [
    'nothing listens on the socket …: start it with `systemctl start fleet.socket`',
    followed("a socket of fleet's that is not there"),
  ],
  ['openssl s_client -connect … < /dev/null', choose('what to do by what the command shows')],
  [
    'or unset KUBE_REGISTER_KUBELET_CA_FILE and the other KUBE_REGISTER_KUBELET_*_FILE: then kubelet certificates are not verified',
    followed('certificates of kubelets made by themselves'),
  ],
  [
    `echo 'public_ip="ADDRESS"' | sudo tee -a /etc/fleet/fleet.conf && sudo systemctl restart fleet # on each of them`,
    followed('two machines at one address'),
  ],
  [
    `echo 'public_ip="ADDRESS"' | sudo tee -a /etc/fleet/fleet.conf && sudo systemctl restart fleet # on that machine`,
    followed('a machine without an address'),
  ],
  [
    'put its CA certificate in KUBE_REGISTER_KUBELET_CA_FILE',
    elsewhere('kubelet-eras.test.ts', 'shows kubelets the token and the client certificate that are set'),
  ],
  [
    "will be registered once it is gone; to see its finalizers: kubectl get node … -o jsonpath='{.metadata.finalizers}'",
    choose('what to do by what the command shows'),
  ],
  [
    'will be registered once that node is gone, or matched with it once that node is reporting; if it is not in use: kubectl delete node …',
    choose('whether the node is in use'),
  ],
  [
    'will be registered once that node is gone; to rename it, set --hostname-override of its kubelet, then: kubectl delete node …',
    choose('whether the node is in use'),
  ],
  [
    'rm /etc/machine-id && systemd-machine-id-setup && reboot # on all of these hosts but one',
    followed('one /etc/machine-id on two machines'),
  ],
  [
    'set --hostname-override of that kubelet to this name, or KUBE_REGISTER_NODE_NAME to the name that it uses',
    choose('which of the names to keep'),
  ],
  ["ss -ltnp 'sport = :…'", choose('what to do by what the command shows')],
  [
    'start the kubelet with --tls-cert-file and --tls-private-key-file for a certificate',
    choose('of a certificate for that kubelet, or to check none'),
  ],
  ['systemctl restart fleet # on that machine', followed('a fleetd that was started before the network')],
  ['systemctl start fleet.socket', followed("a socket of fleet's that is not there")],
  ['the TLS handshake failed (…): check …, … and …', choose('which of the causes it is')],
  [
    'the response is not HTTP (…): does … point to …, and must it begin with https://?',
    choose('which server the endpoint is to name'),
  ],
  ['the response headers are too large: does … point to …?', choose('which server the endpoint is to name')],
  [
    'the authorization policy of the API server does not allow this (its --authorization-policy-file)',
    choose('whether the policy is to allow it'),
  ],
  ['the connection was refused: does … listen there? check ……', followed('a fleet that is somewhere else')],
  ['the host cannot be reached (…): check …, routes and firewalls…', choose('of another way to the host')],
  [
    'the host name cannot be resolved (…): check … and the DNS of this machine…',
    followed('a name that cannot be resolved'),
  ],
  ['the node is cordoned: kubectl uncordon …', choose('whether the veto is still wanted')],
  [
    'the page is not shown under the name …: add it to KUBE_REGISTER_PAGE_HOSTS, or use an IP address',
    elsewhere('web-server.test.ts', 'the Host of a request'),
  ],
  ['the pass took longer than KUBE_REGISTER_PASS_TIMEOUT (…)', fact],
  [
    'the server closed the connection in the middle of the TLS handshake: does it speak TLS on this port, and does it trust the client certificate of … where one is set?',
    choose('which of the causes it is'),
  ],
  ['the server rejects these credentials; check …', followed('a token that the server does not know')],
  [
    'the server does not speak TLS on this port (…): should … begin with http:// instead of https://?',
    followed('an API server without TLS that is asked for TLS'),
  ],
  [
    'the server does not serve …: check …, and KUBE_REGISTER_API_VERSION where it is set',
    followed('an API version that the server does not have'),
  ],
  [
    'the server refused the TLS handshake (…): it requires a client certificate that it trusts: set ……',
    followed('no client certificate in a kubeconfig'),
  ],
  [
    'the server refused the client certificate (…): it has expired or was revoked; renew … and restart kube-register',
    choose('of a new certificate'),
  ],
  [
    "the server's certificate is for other names (……): use one of them in ……",
    followed('a name of a kubeconfig that the certificate does not have'),
  ],
  [
    "the server's certificate is signed by a certificate that is not a CA (its basicConstraints have no CA:TRUE): put the CA certificate of this server in …",
    choose('which file has the CA of the server'),
  ],
  [
    "the server's certificate is signed by a CA that is not trusted (…): put the CA certificate of this server in …",
    followed('a certificate that nobody here trusts'),
  ],
  [
    "the server's certificate was not signed by the CA certificate in …: is it the CA of this server?",
    choose('which file has the CA of the server'),
  ],
  [
    'the step of … is larger than its … values; for a fixed interval set SYNC_INTERVAL',
    followed('a step larger than its field'),
  ],
  ['there is no socket at …: a part of this path is a file; check …', choose('of the path of the socket')],
  [
    "this is not fleet's API: … are both 404; check KUBE_REGISTER_FLEET_ENDPOINT",
    followed('something else where fleet should be'),
  ],
  ['timedatectl set-ntp true', followed('a clock that is wrong')],
  ['unset KUBE_REGISTER_KUBELET_CA_FILE', followed('certificates of kubelets made by themselves')],
  ['unset …', followed('a dry run that was forgotten')],
  ['usermod --append --groups fleet USER', choose('which user the daemon is to be')],
  [
    'with equal settings they do no harm, but one is enough; with different NODE_LABELS each removes labels of the other, and each deregisters by its own METADATA, POLICY and grace periods',
    choose('which of the copies to stop'),
  ],
  ['without it kubectl does not show what was done to a node', fact],
  [
    '… KUBE_REGISTER_KUBELET_CERT_FILE=/path/client.pem KUBE_REGISTER_KUBELET_KEY_FILE=/path/client.key',
    elsewhere('kubelet-eras.test.ts', 'shows kubelets the token and the client certificate that are set'),
  ],
  ['… alive, with a machine that does not match METADATA', fact],
  ['… is a file, not a socket: check …', choose('of the path of the socket')],
  [
    '… is a directory, not a socket: check …; Docker creates a directory when it mounts a socket that does not exist: remove it, start …, then start the container',
    choose('whether the folder can go'),
  ],
  ['… of this kind (logged at KUBE_REGISTER_LOG_LEVEL=debug)', fact],
  ['… of the CA in KUBE_REGISTER_KUBELET_CA_FILE', choose('of a certificate for that kubelet, or to check none')],
  ['… | openssl x509 -noout -dates', choose('what to do by what the command shows')],
  ['…, is managed by the kube-register with KUBE_REGISTER_OWNER_ID=…', fact],
  ['…: is not a flag; settings are given as --name=value', followed('a value without a dash')],
  [
    '…: this port speaks TLS: KUBE_REGISTER_FLEET_ENDPOINT must begin with https://',
    followed('a fleet with TLS that is asked without'),
  ],
  [
    '…: …: it requires a client certificate that it trusts: set KUBE_REGISTER_FLEET_CERT_FILE and KUBE_REGISTER_FLEET_KEY_FILE',
    choose('of a certificate for fleet'),
  ],
  [
    '…: …; check KUBE_REGISTER_FLEET_ENDPOINT, KUBE_REGISTER_FLEET_CERT_FILE and KUBE_REGISTER_FLEET_KEY_FILE',
    choose('which of the causes it is'),
  ],
  [
    '…; either METADATA was changed, or a kube-register with another METADATA uses this API server (then give each its own KUBE_REGISTER_OWNER_ID)',
    choose('which of the causes it is'),
  ],
  [
    '…; either fleet is down on that machine, or a kube-register of another fleet uses this API server (then give each its own KUBE_REGISTER_OWNER_ID)',
    choose('which of the causes it is'),
  ],
  ['…; if it is dead: kubectl delete node …', choose('whether the node is in use')],
  ['…_TOKEN_FILE, …_CERT_FILE with …_KEY_FILE, or KUBE_REGISTER_KUBECONFIG', fact],
  [
    'fleet lists records without a machine ID (…), which are skipped; to see them: etcdctl ls --recursive /_coreos.com/fleet/machines',
    choose('what to do by what the command shows'),
  ],
  ['give each kubelet its own --hostname-override', choose('which of the names to keep')],
  ['it has no metadata …, which KUBE_REGISTER_NODE_NAME names', fact],
  [
    'kept; if it is dead: kubectl delete node …; if it is alive, check KUBE_REGISTER_HEALTHZ_URL',
    choose('whether the node is in use'),
  ],
  ['node … is managed by the kube-register with KUBE_REGISTER_OWNER_ID=…', fact],
  [
    'not registered while node … exists; if it is not in use: kubectl delete node …',
    choose('whether the node is in use'),
  ],
  [
    'not registered without a valid name; KUBE_REGISTER_NODE_NAME says where names come from',
    choose('which of the names to keep'),
  ],
  [
    'not registered; give each machine a name of its own (KUBE_REGISTER_NODE_NAME)',
    choose('which of the names to keep'),
  ],
  [
    'not registered; set public_ip in /etc/fleet/fleet.conf of each of these machines, then: systemctl restart fleet',
    choose('which address each machine has'),
  ],
  [
    'on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
    choose('which of the hosts keeps the machine ID'),
  ],
  [
    'set public_ip in /etc/fleet/fleet.conf of that machine, then: systemctl restart fleet',
    choose('which address the machine has'),
  ],
]);
