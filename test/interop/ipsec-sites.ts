/**
 * Sites around one internet, each a Culvert and a host with two networks: one on the cable, one behind the host.
 *
 *   host 10.N.0.10 --- 10.N.0.1 router 10.20.0.N === internet
 *        10.N.1.10
 */
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { addBridge, addDefaultRoute, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { type Overlay, PSK, waitForIpsec } from './ipsec-support.ts';
import { ping } from './site-pair.ts';

export interface Site {
  readonly number: number;
  readonly router: LabCulvert;
  readonly host: Namespace;
  /** Of the router towards the internet. */
  readonly wan: string;
  /** CIDR. */
  readonly networks: readonly [string, string];
  /** The host's, one in each network. */
  readonly hosts: readonly [string, string];
}

export const wanOf = (site: number): string => `10.20.0.${site}`;
export const networksOf = (site: number): readonly [string, string] => [`10.${site}.0.0/24`, `10.${site}.1.0/24`];

/** A connection with the pre-shared key, as each of these sites has them. */
export function siteConnection(local: readonly string[], remote: readonly string[], overlay: Overlay): Overlay {
  return { psk: PSK, mode: 'tunnel', localSubnets: local, remoteSubnets: remote, ...overlay };
}

export class Sites {
  readonly #internet: Namespace;
  readonly #namespaces: Namespace[] = [];
  readonly #routers: LabCulvert[] = [];

  private constructor(internet: Namespace) {
    this.#internet = internet;
  }

  static async create(): Promise<Sites> {
    const internet = await createNamespace('internet');
    await addBridge(internet, 'br0');
    return new Sites(internet);
  }

  /** Its router does not run yet. @param connections `ipsec.connections`. @param certificates `ipsec.certificates`. */
  async add(number: number, connections: Overlay, certificates: Overlay = {}): Promise<Site> {
    const namespace = await createNamespace(`site${number}`);
    const host = await createNamespace(`host${number}`);
    this.#namespaces.push(namespace, host);
    const [network, behind] = networksOf(number);
    const [address, second] = [`10.${number}.0.10`, `10.${number}.1.10`];
    await connect({ namespace: this.#internet, device: `v${number}`, bridge: 'br0' }, { namespace, device: 'eth0' });
    await connect({ namespace, device: 'lan0' }, { namespace: host, device: 'eth0', addresses: [`${address}/24`] });
    await host.ip('address', 'add', `${second}/32`, 'dev', 'lo');
    await addDefaultRoute(host, `10.${number}.0.1`);
    const router = new LabCulvert({
      name: `site${number}`,
      namespace,
      configuration: {
        interfaces: {
          wan: { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: `${wanOf(number)}/24` } },
          lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: `10.${number}.0.1/24` } },
        },
        routes: [{ prefix: behind, gateway: address }],
        ipsec: { certificates, connections },
      },
    });
    this.#routers.push(router);
    return { number, router, host, wan: wanOf(number), networks: [network, behind], hosts: [address, second] };
  }

  async remove(): Promise<void> {
    for (const router of this.#routers) await router.remove();
    for (const namespace of [...this.#namespaces, this.#internet]) namespace.delete();
  }
}

/** Waits until each host's addresses reach each of the other's. */
export async function eachReachesEach(from: Site, to: Site, timeoutMs = 60_000): Promise<void> {
  for (const source of from.hosts) {
    for (const address of to.hosts) {
      const answered = () => ping(from.host, address, '-I', source);
      await waitFor(`an answer from ${address} to ${source}`, answered, { timeoutMs });
    }
  }
}

/** Waits until the connection of each router is up. */
export async function allUp(...ends: readonly (readonly [Site, string])[]): Promise<void> {
  for (const [{ router }, name] of ends) await waitForIpsec(router, name, 'up');
}
