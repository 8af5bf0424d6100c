/** Connections for the tests of IKEv1, and pairs of hosts that have them. */
import type { IkeConnection, TrafficSelector } from '../../../../../firmware/protocol/ike/ike-types.ts';
import type { IkeV1Options } from '../../../../../firmware/protocol/ike/v1/endpoint-types.ts';
import { type Faults, type Host, Nat, Network } from './network.ts';

export const CLIENT = '192.0.2.1';
export const SERVER = '192.0.2.2';
export const INSIDE = '10.0.0.5';
export const OUTSIDE = '198.51.100.1';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function psk(text: string): Pick<IkeConnection, 'authentication'> {
  return { authentication: { kind: 'psk', key: bytes(text) } };
}

/** What both sides have in common: fast algorithms. */
const COMMON = {
  version: 1,
  ...psk('open sesame'),
  ikeProposals: [{ encryption: 'aes128', integrity: 'sha256', prf: 'sha256', group: 'ecp256' }],
  espProposals: [{ encryption: 'aes128', integrity: 'sha1', esn: false }],
} as const;

/** L2TP/IPsec, the client's side: its L2TP source port is open. */
export function l2tpClient(extra: Partial<IkeConnection> = {}): IkeConnection {
  return {
    ...COMMON,
    name: 'client',
    remote: SERVER,
    mode: 'transport',
    transportPorts: { protocol: 17, local: 1701, remote: 1701 },
    ...extra,
  };
}

export function l2tpServer(extra: Partial<IkeConnection> = {}): IkeConnection {
  return {
    ...COMMON,
    name: 'server',
    remote: 'any',
    mode: 'transport',
    transportPorts: { protocol: 17, local: 1701, remote: 0 },
    ...extra,
  };
}

export function range(firstAddress: string, lastAddress: string): TrafficSelector {
  return { protocol: 0, firstPort: 0, lastPort: 65535, firstAddress, lastAddress };
}

export const BRANCH = range('10.1.0.0', '10.1.0.255');
export const HEAD_OFFICE = range('10.2.0.0', '10.2.255.255');

export function branch(extra: Partial<IkeConnection> = {}): IkeConnection {
  return {
    ...COMMON,
    name: 'client',
    remote: SERVER,
    mode: 'tunnel',
    localSelectors: [BRANCH],
    remoteSelectors: [HEAD_OFFICE],
    ...extra,
  };
}

export function headOffice(extra: Partial<IkeConnection> = {}): IkeConnection {
  return {
    ...COMMON,
    name: 'head-office',
    remote: 'any',
    mode: 'tunnel',
    localSelectors: [HEAD_OFFICE],
    remoteSelectors: [BRANCH],
    ...extra,
  };
}

export interface Pair {
  readonly network: Network;
  readonly client: Host;
  readonly server: Host;
}

export interface PairOptions {
  readonly client?: IkeConnection;
  readonly server?: IkeConnection | readonly IkeConnection[];
  readonly seed?: number;
  readonly faults?: Faults;
  readonly clientBehindNat?: boolean;
  readonly clientOptions?: Partial<IkeV1Options>;
  readonly serverOptions?: Partial<IkeV1Options>;
}

/** A client and a server that listens; the client's connection is not set up yet. */
export function makePair(options: PairOptions = {}): Pair {
  const network = new Network(options.seed, options.faults);
  const nat = options.clientBehindNat === true ? new Nat(OUTSIDE) : undefined;
  const client = network.add(
    'client',
    nat ? INSIDE : CLIENT,
    [options.client ?? l2tpClient()],
    nat,
    {},
    options.clientOptions,
  );
  const server = network.add(
    'server',
    SERVER,
    [options.server ?? l2tpServer()].flat(),
    undefined,
    {},
    options.serverOptions,
  );
  return { network, client, server };
}

/** As {@link makePair}, with the connection set up on a good network. */
export function connect(options: PairOptions = {}): Pair & { readonly ikeId: number } {
  const pair = makePair(options);
  const ikeId = initiate(pair);
  pair.network.run(2000);
  return { ...pair, ikeId };
}

/** Sets the client's connection up, by default the one called `client`. */
export function initiate({ network, client }: Pair, connection = 'client'): number {
  const ikeId = client.endpoint.initiate(network.now, connection, client.to(SERVER));
  network.drain();
  return ikeId;
}
