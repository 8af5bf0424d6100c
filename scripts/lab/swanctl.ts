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
  readonly psk: string;
  /** Identity, as strongSwan writes it. Default: {@link localAddress}. */
  readonly localId?: string;
  /** The peer's identity. Default: the peer's address where that is known, otherwise any. */
  readonly remoteId?: string;
  /** IKE proposals, such as `aes256-sha256-modp2048`. Default: {@link IKE_PROPOSALS}. */
  readonly ike?: readonly string[];
  /** ESP proposals, such as `aes128gcm16`; with a group at the end for PFS. Default: {@link ESP_PROPOSALS}. */
  readonly esp?: readonly string[];
  readonly mode: 'transport' | 'tunnel';
  /** Traffic selectors, such as `10.88.0.0/24` or `dynamic[udp/1701]`. Default: `dynamic`, its own address. */
  readonly localTraffic?: string;
  /** Default: `dynamic`, the peer's address. */
  readonly remoteTraffic?: string;
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

/** The content of swanctl.conf. @throws LabError for a text that the file cannot hold */
export function swanctlConfiguration(connections: readonly SwanConnection[]): string {
  const secrets = connections.map((connection, index) => {
    const owner = connection.remoteId ?? connection.remoteAddress;
    const id = connections.length === 1 || owner === undefined ? '' : `id = ${quote(owner)}`;
    return `ike-${index + 1} { secret = ${quote(connection.psk)}\n${id} }`;
  });
  return `connections {\n${connections.map(connectionSection).join('\n')}\n}\nsecrets {\n${secrets.join('\n')}\n}\n`;
}

function connectionSection(connection: SwanConnection): string {
  const { name = DEFAULT_NAME, version, localAddress, remoteAddress, mode } = connection;
  const remoteId = connection.remoteId ?? remoteAddress;
  const rekey = connection.rekeySeconds ?? 3600;
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
    'unique = replace',
    `local { auth = psk\nid = ${quote(connection.localId ?? localAddress)} }`,
    `remote { auth = psk\n${remoteId === undefined ? '' : `id = ${quote(remoteId)}`} }`,
    `children { ${name} {`,
    `mode = ${mode}`,
    `local_ts = ${connection.localTraffic ?? 'dynamic'}`,
    `remote_ts = ${connection.remoteTraffic ?? 'dynamic'}`,
    `esp_proposals = ${(connection.esp ?? ESP_PROPOSALS).join(',')}`,
    `rekey_time = ${rekey}s`,
    `life_time = ${Math.max(60, 2 * rekey)}s`,
    NO_JITTER,
    'dpd_action = clear',
    ...(connection.start === 'trap' ? ['start_action = trap'] : []),
    '} }',
  ];
  return `${name} {\n${lines.join('\n')}\n}`;
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

/** No af-alg, no stroke, no certificates: the plugins that a shared key needs. openssl brings the ciphers, 3DES too. */
const PLUGINS = 'random nonce openssl hmac kdf vici socket-default';

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
  retransmit_timeout = 1
  retransmit_base = 1.5
  retransmit_tries = 4
  install_virtual_ip = no
}
swanctl { load = random openssl }
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
  /** Such as `AES_CBC-256/HMAC_SHA2_256_128`. */
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
const CHILD_LINE = /^ {2}(\S+): #(\d+), reqid \d+, (\w+), (TRANSPORT|TUNNEL)(-in-UDP)?, ESP:(\S+)/;

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
