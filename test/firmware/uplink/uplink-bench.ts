/** Two lines of a simulated machine, a manager for them, and a world that answers echoes as a test says. */
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import type { LiveUplink } from '../../../firmware/network/uplink-routing.ts';
import { StaticUplink } from '../../../firmware/uplink/static-uplink.ts';
import { UplinkManager } from '../../../firmware/uplink/uplink-manager.ts';
import { DataPlaneDispatch } from '../../../firmware/vpn/data-plane-dispatch.ts';
import { SimulatedCarrierSenseFactory } from '../../../hal/simulated/carrier-sense.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedIcmpSocketFactory } from '../../../hal/simulated/icmp-socket.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedTcpConnector } from '../../../hal/simulated/tcp-connector.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { FakeDataPlane } from '../vpn/fake-data-plane.ts';

type Overlay = Readonly<Record<string, unknown>>;

export class UplinkBench {
  readonly clock = new SimulatedClock();
  readonly links = new SimulatedLinks();
  readonly icmp = new SimulatedIcmpSocketFactory();
  readonly tcp = new SimulatedTcpConnector();
  readonly dataPlane = new FakeDataPlane();
  readonly random: SeededRandom;
  readonly manager: UplinkManager;
  /** Gateways that answer nothing. */
  readonly silent = new Set<string>();
  /** Of each gateway, how many of a hundred echoes are lost. */
  readonly loss = new Map<string, number>();
  readonly said: { readonly at: number; readonly text: string }[] = [];
  applied: readonly LiveUplink[] = [];
  /** How often VPNs were told of another way out. */
  moved = 0;

  constructor(seed = 1, canShare = true) {
    this.random = new SeededRandom(seed);
    for (const name of ['eth0', 'eth1']) this.links.addLink({ name, up: true });
    this.icmp.world = ({ message, remoteAddress }) => {
      const lost = this.silent.has(remoteAddress) || this.#dice() < (this.loss.get(remoteAddress) ?? 0);
      if (lost) return undefined;
      // An echo request has the type 8, its reply the type 0; the sum of all words stays the same.
      const reply = Uint8Array.from(message);
      reply[0] = 0;
      const view = new DataView(reply.buffer);
      const sum = view.getUint16(2) + 0x0800;
      view.setUint16(2, (sum & 0xffff) + (sum >>> 16));
      return { message: reply, from: remoteAddress };
    };
    this.manager = new UplinkManager({
      clock: this.clock,
      random: this.random,
      icmp: this.icmp,
      connector: this.tcp,
      dispatch: new DataPlaneDispatch(this.dataPlane, () => undefined),
      mark: 0xc1,
      canShare,
      carriers: new SimulatedCarrierSenseFactory(this.links),
      linkOf: ({ interface: parent }) => {
        const { address = '', gateway = '' } = parent?.ipv4 ?? {};
        return new StaticUplink({ device: parent?.device ?? '', address, gateway, dns: [] });
      },
      apply: async (uplinks) => {
        this.applied = uplinks;
      },
      onMoved: () => {
        this.moved += 1;
      },
      onTransition: ({ text }) => this.said.push({ at: this.clock.now(), text }),
      onChange: () => undefined,
      log: (line) => this.said.push({ at: this.clock.now(), text: line }),
    });
  }

  async start(dsl: Overlay = {}, lte: Overlay = {}): Promise<this> {
    await this.configure(dsl, lte);
    await this.run(5_000);
    return this;
  }

  configure(dsl: Overlay = {}, lte: Overlay = {}): Promise<void> {
    return this.manager.configure(configuration(dsl, lte));
  }

  /** Time passes, and whatever is due happens. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      this.clock.advance(10);
      await new Promise((done) => setImmediate(done));
    }
  }

  /** Runs until that one carries the traffic. @returns how long it took, ms. */
  async until(carrying: string | undefined, mostMs = 600_000): Promise<number> {
    const from = this.clock.now();
    while (this.carrying !== carrying && this.clock.now() - from < mostMs) await this.run(10);
    return this.clock.now() - from;
  }

  /** According to the routes. */
  get carrying(): string | undefined {
    return this.applied.find(({ carries }) => carries)?.name;
  }

  get lastWords(): string | undefined {
    return this.said.at(-1)?.text;
  }

  #dice(): number {
    return ((this.random.bytes(1)[0] ?? 0) * 100) / 256;
  }
}

export const DSL_GATEWAY = '10.21.0.1';
export const LTE_GATEWAY = '10.22.0.1';

export function configuration(dsl: Overlay, lte: Overlay): Configuration {
  const wan = (device: string, network: string) => ({
    device,
    zone: 'wan',
    ipv4: { method: 'static', address: `${network}.9/24`, gateway: `${network}.1` },
  });
  const document = {
    interfaces: { dsl: wan('eth0', '10.21.0'), lte: wan('eth1', '10.22.0') },
    uplinks: {
      dsl: { type: 'ethernet', interface: 'dsl', priority: 1, ...dsl },
      lte: { type: 'ethernet', interface: 'lte', priority: 2, ...lte },
    },
    ipsec: {
      connections: {
        hq: {
          remote: '10.20.0.2',
          psk: 'a long key of the bench',
          mode: 'tunnel',
          localSubnets: ['192.168.12.0/24'],
          remoteSubnets: ['10.99.0.0/24'],
        },
      },
    },
  };
  const parsed = parseConfiguration(JSON.stringify(document), 'bench.json');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.configuration;
}
