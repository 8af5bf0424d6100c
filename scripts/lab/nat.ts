/**
 * A masquerading router between a private network and the internet, as every branch and every hotel has one:
 *
 *   192.168.7.x --- (bridge) nat === internet
 *   hosts, guests      .1
 */
import { addBridge, addDefaultRoute, addTap, connect, createNamespace, type Namespace } from './namespaces.ts';
import { run } from './shell.ts';
import { waitFor } from './wait.ts';

export interface NatOptions {
  /** With a bridge {@link bridge}. */
  readonly internet: Namespace;
  /** Default: `br0`. */
  readonly bridge?: string;
  /** Its address on the internet, with prefix length, such as `10.20.0.7/24`. */
  readonly address: string;
  /** For names; letters and digits, at most 8. Default: `nat`. */
  readonly name?: string;
  /** The first three octets of the private network, a /24. Default: `192.168.7`. */
  readonly inside?: string;
}

const OUTSIDE_DEVICE = 'wan0';
const INSIDE_BRIDGE = 'br0';
const TABLE = 'ip culvert_nat';
/** Ranges of outside ports, taken in turn; far from the ports that the hosts use. */
const PORT_RANGES = ['20000-29999', '40000-49999'] as const;

export class Nat {
  readonly namespace: Namespace;
  /** Its address inside: the gateway of the hosts. */
  readonly gateway: string;
  /** Its address on the internet, without prefix length. */
  readonly address: string;
  readonly #inside: string;
  readonly #hosts: Namespace[] = [];
  #remaps = 0;

  /** Use {@link createNat}. */
  constructor(namespace: Namespace, options: NatOptions) {
    this.namespace = namespace;
    this.#inside = options.inside ?? '192.168.7';
    this.gateway = `${this.#inside}.1`;
    this.address = options.address.replace(/\/.*/, '');
  }

  /** The address of the host with this number, 2 to 254, with prefix length. */
  hostAddress(number: number): string {
    return `${this.#inside}.${number}/24`;
  }

  /** Adds a host: a namespace whose `eth0` has {@link hostAddress} and a default route. It goes with the NAT. */
  async addHost(number: number): Promise<Namespace> {
    const host = await createNamespace(`host${number}`);
    this.#hosts.push(host);
    await this.join(host, number, [this.hostAddress(number)]);
    await addDefaultRoute(host, this.gateway);
    return host;
  }

  /** Lays a cable to `eth0` of a namespace, which gives itself an address. */
  async join(host: Namespace, number: number, addresses: readonly string[] = []): Promise<void> {
    const port = { namespace: this.namespace, device: `host${number}`, bridge: INSIDE_BRIDGE };
    await connect(port, { namespace: host, device: 'eth0', addresses });
  }

  /** Adds a TAP device of {@link namespace}, for a guest that is a host. @returns the name of the device */
  async addTap(number: number): Promise<string> {
    const device = `tap${number}`;
    await addTap({ namespace: this.namespace, device, bridge: INSIDE_BRIDGE });
    return device;
  }

  /**
   * Forgets every mapping, as a NAT does that was switched off and on: each flow comes from another outside port, of a
   * range of which it had none before.
   */
  async remap(): Promise<void> {
    const range = PORT_RANGES[this.#remaps % PORT_RANGES.length];
    this.#remaps += 1;
    await masquerade(this.namespace, `meta l4proto udp masquerade to :${range}`);
    // The kernel forgets the mappings of an address that goes.
    const address = `${this.address}/24`;
    await this.namespace.ip('address', 'delete', address, 'dev', OUTSIDE_DEVICE);
    await waitFor('the end of the old mappings', async () => (await this.mappings()).length === 0);
    await this.namespace.ip('address', 'add', address, 'dev', OUTSIDE_DEVICE);
  }

  /** The UDP flows that it knows, as outside ports. */
  async mappings(): Promise<readonly NatMapping[]> {
    const lines = (await this.namespace.run('cat', '/proc/net/nf_conntrack')).split('\n');
    return lines.flatMap((line) => {
      const [, inside, server, insidePort, serverPort, outsidePort] = UDP_FLOW.exec(line) ?? [];
      if (inside === undefined || server === undefined || !inside.startsWith(`${this.#inside}.`)) return [];
      const ports = { insidePort: Number(insidePort), outsidePort: Number(outsidePort) };
      return [{ inside, server, serverPort: Number(serverPort), ...ports }];
    });
  }

  /** Takes it away with its hosts. */
  delete(): void {
    for (const host of this.#hosts) host.delete();
    this.namespace.delete();
  }
}

/** A UDP flow from inside: its port as the host sees it and as the internet sees it. */
export interface NatMapping {
  readonly inside: string;
  readonly insidePort: number;
  readonly outsidePort: number;
  readonly server: string;
  readonly serverPort: number;
}

/** Original direction, then the reply's, whose destination is the outside. */
const UDP_FLOW = /^ipv4 .* udp .*?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) .*?src=\S+ dst=\S+ sport=\d+ dport=(\d+)/;

/** Masquerades, ports of UDP as `udp` says; what comes unasked is dropped without a word, as home routers do. */
async function masquerade(namespace: Namespace, udp: string): Promise<void> {
  const input = `
    table ${TABLE}
    delete table ${TABLE}
    table ${TABLE} {
      chain source {
        type nat hook postrouting priority srcnat
        oifname != "${OUTSIDE_DEVICE}" accept
        ${udp}
        masquerade
      }
      chain unasked {
        type filter hook input priority filter
        iifname "${OUTSIDE_DEVICE}" meta l4proto udp ct state new drop
      }
    }`;
  await run(namespace.command('nft', '-f', '-'), { input });
}

/** Builds it. Outside ports are those of the hosts where they are free, until the first {@link Nat.remap}. */
export async function createNat(options: NatOptions): Promise<Nat> {
  const { internet, bridge = 'br0', name = 'nat' } = options;
  const namespace = await createNamespace(name);
  const nat = new Nat(namespace, options);
  await connect(
    { namespace: internet, device: `v${name}`, bridge },
    { namespace, device: OUTSIDE_DEVICE, addresses: [options.address] },
  );
  await addBridge(namespace, INSIDE_BRIDGE, [`${nat.gateway}/24`]);
  await namespace.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await masquerade(namespace, 'meta l4proto udp masquerade');
  return nat;
}
