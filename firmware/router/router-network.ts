import { isDeepStrictEqual } from 'node:util';
import { EMPTY_CONFIGURATION } from '../config/empty.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import { interfaceNetworks } from '../config/interface-networks.ts';
import type { L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import type { Configuration } from '../config/schema.ts';
import {
  checkAdvertised,
  checkAssignment,
  checkGrant,
  checkLease,
  localNetworks,
  type OfferedLease,
} from '../network/assignment-check.ts';
import { serverPrefixes } from '../network/configured-prefixes.ts';
import type { LiveTunnel } from '../network/desired.ts';
import { OUTER_MARK } from '../network/marks.ts';
import type { ReconcileReport, Reconciler } from '../network/reconciler.ts';
import type { SessionDns } from '../network/session-dns.ts';
import type { LiveUplink } from '../network/uplink-routing.ts';
import { contains, formatIpv4, hostPrefix, parseCidr } from '../protocol/ip-address.ts';
import type { Failure } from '../protocol/machine.ts';
import type { ClientNetwork } from '../vpn/l2tp/client-types.ts';
import { errorText } from '../vpn/steps.ts';
import type { TunnelNetwork, TunnelNetworks } from '../vpn/tunnel-networks.ts';

type Assignment = Pick<ClientNetwork, 'localAddress' | 'dns'> & Partial<Pick<ClientNetwork, 'peerAddress'>>;

/** The network around the tunnels: what the configuration wants and which tunnels stand, kept in step with the kernel. */
export class RouterNetwork implements TunnelNetworks {
  /** SO_MARK of every outer socket. */
  readonly mark = OUTER_MARK;
  readonly #reconciler: Reconciler;
  readonly #dns: SessionDns;
  readonly #log: (line: string) => void;
  /** By device. */
  readonly #tunnels = new Map<string, LiveTunnel>();
  /** Names of the connections whose DNS servers are written down, by device. */
  readonly #dnsOf = new Map<string, string>();
  #uplinks: readonly LiveUplink[] = [];
  #configuration = EMPTY_CONFIGURATION;
  #life: 'new' | 'running' | 'ended' = 'new';

  /** @param log called with one line for what fails without making a tunnel useless. */
  constructor(reconciler: Reconciler, dns: SessionDns, log: (line: string) => void) {
    this.#reconciler = reconciler;
    this.#dns = dns;
    this.#log = log;
  }

  /** Takes back what a crashed run left. */
  async recover(): Promise<void> {
    if (this.#life !== 'new') return;
    this.#life = 'running';
    await this.#reconciler.restore();
    await this.#attempt(() => this.#dns.clear());
  }

  async configure(configuration: Configuration): Promise<ReconcileReport> {
    this.#configuration = configuration;
    return await this.#reconcile();
  }

  /**
   * What {@link configure} would change on the machine now, in the words of ip(8); empty when it is all there. Tunnels that
   * stand and are still configured are taken to go on standing. Never rejects.
   */
  preview(configuration: Configuration): Promise<readonly string[]> {
    const { clients, servers, connections } = tunnelInterfaceNames(configuration);
    const devices = new Set([...clients.values(), ...servers.values(), ...connections.values()]);
    const tunnels = [...this.#tunnels.values()].filter(({ device }) => devices.has(device));
    return this.#reconciler.preview({ configuration, tunnels, uplinks: this.#uplinks });
  }

  /** Other uplinks stand now, or another one carries the traffic. Resolves when the kernel knows. Never rejects. */
  async setUplinks(uplinks: readonly LiveUplink[]): Promise<void> {
    if (isDeepStrictEqual(uplinks, this.#uplinks)) return;
    this.#uplinks = uplinks;
    if (this.#life === 'running') await this.#reconcile();
  }

  /** Also for a tunnel that is up already and has other prefixes now. */
  async up(network: TunnelNetwork): Promise<void> {
    const { name, device, localAddress, peerAddress, dns, prefixes, ipv6 } = network;
    const peer = peerAddress === undefined ? {} : { peerAddress };
    const source = localAddress === '' ? siteAddress(this.#configuration, device) : undefined;
    const from = source === undefined ? {} : { source };
    this.#tunnels.set(device, { device, localAddress, prefixes, ...peer, ...from, ...(ipv6 ? { ipv6 } : {}) });
    if (dns.length > 0) this.#dnsOf.set(device, name);
    // Without any, what was told before is taken away: servers of IPv6 come and go while the tunnel stands.
    if (this.#dnsOf.has(device)) await this.#attempt(() => this.#dns.write(name, dns));
    const { failures } = await this.#reconcile();
    // Something else on the machine may be amiss without this tunnel being the worse for it; only its own device counts.
    const own = failures.find(({ reason }) => reason.split(/[^\w-]+/).includes(device));
    if (own) throw new Error(own.reason);
  }

  /** Never rejects. */
  async down(device: string): Promise<void> {
    const name = this.#dnsOf.get(device);
    this.#dnsOf.delete(device);
    if (name !== undefined) await this.#attempt(() => this.#dns.remove(name));
    if (this.#tunnels.delete(device)) await this.#reconcile();
  }

  /** The machine as it was before the start. Never rejects. */
  async restore(): Promise<void> {
    const life = this.#life;
    this.#life = 'ended';
    // Before recover() the journal of a crashed run has not been read, and must outlive this one.
    if (life !== 'running') return;
    this.#tunnels.clear();
    this.#dnsOf.clear();
    await this.#attempt(() => this.#dns.clear());
    await this.#reconciler.close();
  }

  /** Judges what a peer assigned to the client whose TUN is `device`. */
  review(device: string, { localAddress, peerAddress, dns }: Assignment): Failure | undefined {
    const networks = localNetworks(this.#configuration, [...this.#tunnels.values()], device);
    const peer = peerAddress === undefined ? {} : { peerAddress };
    return checkAssignment({ address: localAddress, ...peer, dns }, networks);
  }

  /** Judges what a DHCP server gives the interface with this device. */
  reviewLease(device: string, lease: OfferedLease): Failure | undefined {
    return checkLease(lease, localNetworks(this.#configuration, [...this.#tunnels.values()], device));
  }

  /** The same for what follows from the advertisements of that server. */
  reviewIpv6(device: string, what: 'address' | 'dns', address: string): Failure | undefined {
    return checkAdvertised(what, address, localNetworks(this.#configuration, [...this.#tunnels.values()], device));
  }

  /** Judges what a RADIUS server granted to a user of the server whose TUN is `device`. */
  reviewGrant(device: string, granted: Parameters<typeof checkGrant>[0]): Failure | undefined {
    return checkGrant(granted, localNetworks(this.#configuration, [...this.#tunnels.values()], device));
  }

  /** What a server always has routed into its TUN; its users bring more when they come. */
  serverPrefixes(server: L2tpServerConfiguration): readonly string[] {
    return serverPrefixes({ ...server, users: {} });
  }

  /** The list of DNS servers is a convenience: a full disk must not keep the branch offline. */
  async #attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#log(`the DNS servers of the tunnels cannot be written down: ${errorText(error)}; free space on the disk`);
    }
  }

  #reconcile(): Promise<ReconcileReport> {
    const [configuration, uplinks] = [this.#configuration, this.#uplinks];
    return this.#reconciler.reconcile({ configuration, uplinks, tunnels: [...this.#tunnels.values()] });
  }
}

/**
 * Our address on one of the networks that the IPsec connection with this TUN connects, if we have one there; rather one
 * towards the inside, where a wide network has the uplink's in it, too.
 */
function siteAddress(configuration: Configuration, device: string): string | undefined {
  const names = tunnelInterfaceNames(configuration).connections;
  const connection = Object.entries(configuration.ipsec.connections).find(([name]) => names.get(name) === device)?.[1];
  const local = (connection?.localSubnets ?? []).flatMap((text) => parseCidr(text) ?? []);
  const inside = interfaceNetworks(configuration).filter(({ prefix }) =>
    local.some((network) => contains(network, hostPrefix(prefix.address))),
  );
  const own = inside.find(({ zone }) => zone !== 'wan') ?? inside[0];
  return own && formatIpv4(own.prefix.address);
}
