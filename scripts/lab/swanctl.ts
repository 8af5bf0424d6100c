/** What every strongSwan of the lab is told, in the words of its two configuration files, and what it tells about its SAs. */
import { LabError, type RunResult } from './shell.ts';

/** One connection of a strongSwan, with one child SA of the same name. */
export interface SwanConnection {
  /** Of the connection and of its child. Default: `vpn`. */
  readonly name?: string;
  /** Of IKE. */
  readonly version: 1 | 2;
  /** The address that it speaks from. */
  readonly localAddress: string;
  /** The peer. Default: anybody, which means that it only answers. */
  readonly remoteAddress?: string;
  readonly psk?: string;
  /** How it proves itself. Default: by {@link psk} where there is one, else by certificate. */
  readonly localAuth?: SwanProof;
  /** How the peer has to. Default: as {@link localAuth}, unless that is EAP; then by certificate. */
  readonly remoteAuth?: SwanProof;
  /** The peer has to prove itself by XAUTH besides, as one of {@link users}. */
  readonly xauth?: boolean;
  readonly certificates?: SwanCertificates;
  /** Passwords by name, for EAP-MSCHAPv2 and XAUTH, the peer's and its own. */
  readonly users?: Readonly<Record<string, string>>;
  /** Which of {@link users} it is itself; with IKEv1 it logs in by XAUTH besides. */
  readonly user?: string;
  /** IKEv1 in Aggressive Mode. */
  readonly aggressive?: boolean;
  /** Inner addresses for peers that ask, CIDR or range, and the servers that are named with them. */
  readonly pool?: { readonly addresses: string; readonly dns?: readonly string[] };
  /** It asks for an inner address itself. */
  readonly virtualAddress?: boolean;
  /** It begins anew, authentication included, after this many seconds; 0 for never. Default: 0. */
  readonly reauthSeconds?: number;
  /** A post-quantum preshared key, which it requires. */
  readonly ppk?: { readonly id: string; readonly key: string };
  /** Whether it knows MOBIKE. Default: true. */
  readonly mobike?: boolean;
  /** Identity, as strongSwan writes it. Default: {@link localAddress}. */
  readonly localId?: string;
  /** The peer's identity. Default: the peer's address where that is known, otherwise any. */
  readonly remoteId?: string;
  /** IKE proposals, such as `aes256-sha256-modp2048`. Default: {@link IKE_PROPOSALS}. */
  readonly ike?: readonly string[];
  /** ESP proposals, such as `aes128gcm16`; with a group at the end for PFS. Default: {@link ESP_PROPOSALS}. */
  readonly esp?: readonly string[];
  /** AH proposals, such as `sha256`, instead of ESP. */
  readonly ah?: readonly string[];
  readonly mode: 'transport' | 'tunnel';
  /** Traffic selectors, such as `10.88.0.0/24` or `dynamic[udp/1701]`. Default: `dynamic`, its own address. */
  readonly localTraffic?: string;
  /** Default: `dynamic`, the peer's address. */
  readonly remoteTraffic?: string;
  /** Further pairs: IKEv1 has a child SA for each. Their children are called `NAME2`, `NAME3` ... */
  readonly moreTraffic?: readonly { readonly local: string; readonly remote: string }[];
  /** `always`: ESP in UDP with and without a NAT on the way. Default: `auto`. */
  readonly encapsulation?: 'auto' | 'always';
  /** It makes new keys for the child SA after this many seconds. Default: 3600. */
  readonly rekeySeconds?: number;
  /** It makes a new IKE SA after this many seconds. Default: 14 400. */
  readonly ikeRekeySeconds?: number;
  /** It asks whether a silent peer is alive after this many seconds; 0 for never. Default: 0. */
  readonly dpdSeconds?: number;
  /** `trap`: the first packet for the peer makes it dial. Default: `none`, it waits or is told to. */
  readonly start?: 'none' | 'trap';
}

/** In the words of its configuration. */
export type SwanProof = 'psk' | 'pubkey' | 'eap-mschapv2';

/** PEM. */
export interface SwanCertificates {
  /** Its own, with the key. */
  readonly own?: { readonly certificate: string; readonly key: string };
  /** Whom it believes. */
  readonly authority: string;
  /** What {@link authority} has revoked. */
  readonly crl?: string;
}

export const IKE_PROPOSALS: Readonly<Record<1 | 2, readonly string[]>> = {
  1: [
    'aes256-sha256-modp2048',
    'aes256-sha1-modp2048',
    'aes128-sha256-ecp256',
    'aes128-sha1-modp2048',
    'aes128-sha1-modp1024',
    '3des-sha1-modp1024',
  ],
  2: [
    'aes256gcm16-prfsha256-ecp256',
    'aes128gcm16-prfsha256-x25519',
    'chacha20poly1305-prfsha256-x25519',
    'aes256-sha256-modp2048',
    'aes128-sha256-ecp256',
    'aes128-sha1-modp2048',
  ],
};

export const ESP_PROPOSALS: readonly string[] = [
  'aes128gcm16',
  'aes256gcm16',
  'aes256-sha256',
  'aes256-sha1',
  'aes128-sha256',
  'aes128-sha1',
  '3des-sha1',
];

export const DEFAULT_NAME = 'vpn';
/** Without jitter: a test knows when new keys are made. The old SA lives on for a tenth of the time (hard limit). */
const NO_JITTER = 'rand_time = 0';

/** One file of a folder that `SWANCTL_DIR` names. */
export interface SwanFile {
  /** Within the folder, such as `x509/vpn.pem`. */
  readonly path: string;
  readonly content: string;
}

/** The folders that swanctl looks into, whether there is something in them or not. */
export const SWANCTL_FOLDERS: readonly string[] = [
  ...['x509', 'x509ca', 'x509crl', 'x509ocsp', 'x509aa', 'x509ac'],
  ...['private', 'pubkey', 'rsa', 'ecdsa', 'bliss', 'pkcs8', 'pkcs12'],
];

/** swanctl.conf, and the certificates and keys beside it. @throws LabError for a text that the file cannot hold */
export function swanctlFiles(connections: readonly SwanConnection[]): SwanFile[] {
  const files = connections.flatMap(({ name = DEFAULT_NAME, certificates }) => {
    if (certificates === undefined) return [];
    const { own, authority, crl } = certificates;
    return [
      { path: `x509ca/${name}.pem`, content: authority },
      ...(crl === undefined ? [] : [{ path: `x509crl/${name}.pem`, content: crl }]),
      ...(own === undefined
        ? []
        : [
            { path: `x509/${name}.pem`, content: own.certificate },
            { path: `private/${name}.pem`, content: own.key },
          ]),
    ];
  });
  return [{ path: 'swanctl.conf', content: swanctlConfiguration(connections) }, ...files];
}

/** The content of swanctl.conf. @throws LabError for a text that the file cannot hold */
export function swanctlConfiguration(connections: readonly SwanConnection[]): string {
  const keys = connections.flatMap(({ psk, remoteId, remoteAddress }, index) => {
    if (psk === undefined) return [];
    const owner = remoteId ?? remoteAddress;
    const id = connections.length === 1 || owner === undefined ? '' : `id = ${quote(owner)}`;
    return [`ike-${index + 1} { secret = ${quote(psk)}\n${id} }`];
  });
  const users = connections.flatMap(({ users: passwords = {} }) => Object.entries(passwords));
  const logins = users.map(
    ([user, password], index) => `eap-${index + 1} { id = ${quote(user)}\nsecret = ${quote(password)} }`,
  );
  const ppks = connections.flatMap(({ ppk }, index) =>
    ppk === undefined ? [] : [`ppk-${index + 1} { id = ${ppk.id}\nsecret = ${quote(ppk.key)} }`],
  );
  const pools = connections.flatMap(({ name = DEFAULT_NAME, pool }) => {
    if (pool === undefined) return [];
    const dns = pool.dns === undefined ? '' : `dns = ${pool.dns.join(',')}`;
    return [`${name} { addrs = ${pool.addresses}\n${dns} }`];
  });
  return [
    section('connections', connections.map(connectionSection)),
    section('secrets', [...keys, ...logins, ...ppks]),
    ...(pools.length === 0 ? [] : [section('pools', pools)]),
  ].join('');
}

function section(name: string, entries: readonly string[]): string {
  return `${name} {\n${entries.join('\n')}\n}\n`;
}

function connectionSection(connection: SwanConnection): string {
  const { name = DEFAULT_NAME, version, localAddress, remoteAddress } = connection;
  const remoteId = connection.remoteId ?? remoteAddress;
  const ikeRekey = connection.ikeRekeySeconds ?? 14_400;
  const lines = [
    `version = ${version}`,
    `local_addrs = ${localAddress}`,
    ...(remoteAddress === undefined ? [] : [`remote_addrs = ${remoteAddress}`]),
    `proposals = ${(connection.ike ?? IKE_PROPOSALS[version]).join(',')}`,
    `encap = ${connection.encapsulation === 'always' ? 'yes' : 'no'}`,
    `rekey_time = ${ikeRekey}s`,
    `over_time = ${Math.max(60, ikeRekey)}s`,
    NO_JITTER,
    `dpd_delay = ${connection.dpdSeconds ?? 0}s`,
    ...(connection.ppk === undefined ? [] : [`ppk_id = ${connection.ppk.id}`, 'ppk_required = yes']),
    ...(connection.mobike === false ? ['mobike = no'] : []),
    'unique = replace',
    ...(connection.reauthSeconds === undefined ? [] : [`reauth_time = ${connection.reauthSeconds}s`]),
    'send_cert = always',
    ...(connection.aggressive === true ? ['aggressive = yes'] : []),
    ...(connection.pool === undefined ? [] : [`pools = ${name}`]),
    ...(connection.virtualAddress === true ? ['vips = 0.0.0.0'] : []),
    ...proofSections(connection, remoteId),
    section('children', children(connection)),
  ];
  return `${name} {\n${lines.join('\n')}\n}`;
}

function children(connection: SwanConnection): string[] {
  const { name = DEFAULT_NAME, localTraffic = 'dynamic', remoteTraffic = 'dynamic', moreTraffic = [] } = connection;
  const pairs = [{ local: localTraffic, remote: remoteTraffic }, ...moreTraffic];
  return pairs.map(({ local, remote }, at) => {
    const lines = [`local_ts = ${local}`, `remote_ts = ${remote}`, ...childLines(connection)];
    return `${name}${at === 0 ? '' : at + 1} {\n${lines.join('\n')}\n}`;
  });
}

function childLines(connection: SwanConnection): string[] {
  const rekey = connection.rekeySeconds ?? 3600;
  return [
    `mode = ${connection.mode}`,
    connection.ah === undefined
      ? `esp_proposals = ${(connection.esp ?? ESP_PROPOSALS).join(',')}`
      : `ah_proposals = ${connection.ah.join(',')}`,
    `rekey_time = ${rekey}s`,
    `life_time = ${Math.max(60, 2 * rekey)}s`,
    NO_JITTER,
    'dpd_action = clear',
    ...(connection.start === 'trap' ? ['start_action = trap'] : []),
  ];
}

function proofSections(connection: SwanConnection, remoteId: string | undefined): string[] {
  const { name = DEFAULT_NAME, version, psk, certificates, localAddress, localId = localAddress } = connection;
  const { user, xauth } = connection;
  const localAuth = connection.localAuth ?? (psk === undefined ? 'pubkey' : 'psk');
  const remoteAuth = connection.remoteAuth ?? (localAuth === 'psk' ? 'psk' : 'pubkey');
  const local = [`auth = ${localAuth}`, `id = ${quote(localId)}`];
  if (localAuth === 'pubkey' && certificates?.own !== undefined) local.push(`certs = ${name}.pem`);
  if (localAuth === 'eap-mschapv2' && user !== undefined) local.push(`eap_id = ${quote(user)}`);
  const remote = [`auth = ${remoteAuth}`, ...(remoteId === undefined ? [] : [`id = ${quote(remoteId)}`])];
  if (remoteAuth === 'pubkey' && certificates !== undefined) remote.push(`cacerts = ${name}.pem`);
  if (remoteAuth === 'eap-mschapv2') remote.push('eap_id = %any');
  return [
    `local { ${local.join('\n')} }`,
    `remote { ${remote.join('\n')} }`,
    ...(xauth === true ? ['remote-xauth { auth = xauth }'] : []),
    ...(version === 1 && user !== undefined ? [`local-xauth { auth = xauth\nxauth_id = ${quote(user)} }`] : []),
  ];
}

function quote(text: string): string {
  if (/["\\\r\n]/.test(text)) throw new LabError('swanctl takes no quotation mark, backslash or line break here');
  return `"${text}"`;
}

export interface CharonSettings {
  readonly viciSocket: string;
  readonly logFile: string;
  /** The plugins that move packets, the preferred one first. */
  readonly kernelPlugins: readonly string[];
}

/** No af-alg and no stroke. openssl brings the ciphers, 3DES too, and reads certificates. */
const PLUGINS =
  'random nonce openssl pem pkcs1 pkcs8 x509 revocation constraints pubkey hmac kdf vici socket-default ' +
  'eap-identity eap-mschapv2 xauth-generic';

/** The content of strongswan.conf. */
export function charonConfiguration({ viciSocket, logFile, kernelPlugins }: CharonSettings): string {
  return `charon {
  load = ${PLUGINS} ${kernelPlugins.join(' ')}
  plugins {
    vici { socket = unix://${viciSocket} }
    kernel-libipsec { allow_peer_ts = yes }
  }
  filelog { lab {
    path = ${logFile}
    time_format = %H:%M:%S
    default = 1
    ike = 2
    knl = 1
    flush_line = yes
  } }
  make_before_break = yes
  retransmit_timeout = 1
  retransmit_base = 1.5
  retransmit_tries = 4
  install_virtual_ip = no
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
}
swanctl { load = random openssl pem pkcs1 pkcs8 x509 }
`;
}

/** A child SA, as strongSwan lists it. */
export interface SwanChildSa {
  readonly name: string;
  readonly id: number;
  /** Such as `INSTALLED`, `REKEYED`. */
  readonly state: string;
  readonly mode: 'transport' | 'tunnel';
  readonly encapsulated: boolean;
  /** Such as `AES_CBC-256/HMAC_SHA2_256_128`; of AH `HMAC_SHA2_256_128`. */
  readonly algorithms: string;
}

/** An IKE SA, as strongSwan lists it. */
export interface SwanIkeSa {
  readonly name: string;
  readonly id: number;
  /** Such as `ESTABLISHED`, `CONNECTING`. */
  readonly state: string;
  readonly version: 1 | 2;
  readonly children: readonly SwanChildSa[];
}

const IKE_LINE = /^(\S+): #(\d+), (\w+), IKEv([12])/;
const CHILD_LINE = /^ {2}(\S+): #(\d+), reqid \d+, (\w+), (TRANSPORT|TUNNEL)(-in-UDP)?, (?:ESP|AH):(\S+)/;

/** Reads the output of `swanctl --list-sas`. */
export function parseSas(text: string): SwanIkeSa[] {
  const found: (SwanIkeSa & { readonly children: SwanChildSa[] })[] = [];
  for (const line of text.split('\n')) {
    const [, name = '', id, state = '', version] = IKE_LINE.exec(line) ?? [];
    if (id !== undefined) {
      found.push({ name, id: Number(id), state, version: version === '1' ? 1 : 2, children: [] });
      continue;
    }
    const [, child = '', childId, childState = '', mode, udp, algorithms = ''] = CHILD_LINE.exec(line) ?? [];
    if (childId === undefined) continue;
    found.at(-1)?.children.push({
      name: child,
      id: Number(childId),
      state: childState,
      mode: mode === 'TUNNEL' ? 'tunnel' : 'transport',
      encapsulated: udp !== undefined,
      algorithms,
    });
  }
  return found;
}

/** Runs `swanctl ARGS` against one strongSwan. */
export type Swanctl = (...args: string[]) => Promise<RunResult>;

/** The verbs of a running strongSwan, wherever it runs. */
export class SwanControl {
  readonly #swanctl: Swanctl;
  readonly #where: string;

  constructor(where: string, swanctl: Swanctl) {
    this.#where = where;
    this.#swanctl = swanctl;
  }

  async #run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#swanctl(...args);
    if (code !== 0) {
      throw new LabError(`strongSwan ${this.#where}: swanctl ${args.join(' ')} failed: ${(stderr + stdout).trim()}`);
    }
    return stdout;
  }

  /** Reads its connections and keys anew. @throws LabError with what it objects to */
  async load(file: string): Promise<void> {
    await this.#run('--load-all', '--file', file);
  }

  /** Dials, and returns when the child SA stands. @throws LabError with what it says when it does not */
  async initiate(child = DEFAULT_NAME): Promise<void> {
    await this.#run('--initiate', '--child', child, '--timeout', '20');
  }

  /** Makes new keys, and returns when that has begun. */
  async rekey(what: 'child' | 'ike', name = DEFAULT_NAME): Promise<void> {
    await this.#run('--rekey', `--${what}`, name);
  }

  /** Ends an IKE SA with all of its child SAs; the peer is told. */
  async terminate(name = DEFAULT_NAME): Promise<void> {
    await this.#run('--terminate', '--ike', name, '--timeout', '5');
  }

  async listSas(): Promise<SwanIkeSa[]> {
    return parseSas(await this.#run('--list-sas'));
  }

  /** The child SAs in force. */
  async installed(): Promise<SwanChildSa[]> {
    return (await this.listSas()).flatMap(({ children }) => children.filter(({ state }) => state === 'INSTALLED'));
  }
}
