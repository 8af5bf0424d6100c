/** Two simulated machines on one network, each with a data plane in this thread, for tests to drive. */
import type { DataPlaneEvent, SaSpec, SessionSpec } from '../../../../firmware/dataplane/data-plane.ts';
import { LocalDataPlane } from '../../../../firmware/dataplane/userspace/local-data-plane.ts';
import type { UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedHandles } from '../../../../hal/simulated/handles.ts';
import { SimulatedLinks } from '../../../../hal/simulated/links.ts';
import { SimulatedNetwork, type SimulatedNetworkOptions } from '../../../../hal/simulated/network.ts';
import { SimulatedPollerFactory } from '../../../../hal/simulated/poller.ts';
import { SimulatedTunFactory } from '../../../../hal/simulated/tun.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

export const LEFT = '192.0.2.1';
export const RIGHT = '192.0.2.2';
export const LEFT_INNER = '10.99.0.1';
export const RIGHT_INNER = '10.99.0.2';

/** One machine. Its data plane has socket 1, and interface 1 and session 1 once {@link Pair.connect}ed. */
export class Machine {
  readonly address: string;
  readonly links = new SimulatedLinks();
  readonly tuns: SimulatedTunFactory;
  readonly dataPlane: LocalDataPlane;
  readonly events: DataPlaneEvent[] = [];

  constructor(address: string, handles: SimulatedHandles, network: SimulatedNetwork, clock: SimulatedClock) {
    this.address = address;
    this.tuns = new SimulatedTunFactory(handles, this.links);
    this.dataPlane = new LocalDataPlane({
      links: this.links,
      tuns: this.tuns,
      sockets: network.udpSockets([address]),
      poller: new SimulatedPollerFactory(handles).open(),
      now: () => clock.now(),
    });
    this.dataPlane.onEvent((event) => this.events.push(event));
  }

  pathTo(remote: string, port = 1701): UdpPath {
    return { remote: { address: remote, port }, local: { address: this.address, port: 1701 } };
  }

  async openSocket(): Promise<number> {
    return this.dataPlane.openSocket({ id: 1, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 });
  }

  session(remote: string, sources: readonly string[]): SessionSpec {
    return {
      key: 1,
      socket: 1,
      path: this.pathTo(remote),
      localTunnelId: 1,
      localSessionId: 1,
      peerTunnelId: 1,
      peerSessionId: 1,
      lengthField: true,
      sequencing: false,
      network: {
        interface: 1,
        protocolCompression: true,
        addressControlCompression: true,
        mtu: 1400,
        destinations: sources,
        sources,
      },
    };
  }

  /** Policy 1, for socket 1. */
  protect(sa?: number): void {
    this.dataPlane.putPolicy({
      key: 1,
      inside: { kind: 'l2tp', socket: 1 },
      ...(sa === undefined ? {} : { sa }),
    });
  }

  /** Pair 1, of policy 1. */
  sa(remote: string): SaSpec {
    const [sent, received] = this.address === LEFT ? [0x1001, 0x2001] : [0x2001, 0x1001];
    const keys = (spi: number) => ({ spi, encryption: 'aes128gcm16', encryptionKey: new SeededRandom(spi).bytes(20) });
    const host = (address: string) => [
      { protocol: 17, firstPort: 1701, lastPort: 1701, firstAddress: address, lastAddress: address },
    ];
    return {
      key: 1,
      policy: 1,
      socket: 2,
      path: { remote: { address: remote, port: 4500 }, local: { address: this.address, port: 4500 } },
      mode: 'transport',
      inbound: keys(received),
      outbound: keys(sent),
      extendedSequenceNumbers: false,
      lifetimes: {},
      localSelectors: host(this.address),
      remoteSelectors: host(remote),
      followPeer: false,
    };
  }

  get tun() {
    const tun = this.tuns.device('l2tp-test');
    if (tun === undefined) throw new Error('there is no TUN');
    return tun;
  }
}

export class Pair {
  readonly clock = new SimulatedClock();
  readonly network: SimulatedNetwork;
  readonly left: Machine;
  readonly right: Machine;

  constructor(options: SimulatedNetworkOptions = {}) {
    const handles = new SimulatedHandles();
    this.network = new SimulatedNetwork(handles, options);
    this.left = new Machine(LEFT, handles, this.network, this.clock);
    this.right = new Machine(RIGHT, handles, this.network, this.clock);
  }

  async connect(): Promise<void> {
    for (const [machine, remote, inner] of [
      [this.left, RIGHT, RIGHT_INNER],
      [this.right, LEFT, LEFT_INNER],
    ] as const) {
      await machine.openSocket();
      await machine.dataPlane.addInterface({ id: 1, name: 'l2tp-test', mtu: 1400 });
      machine.dataPlane.putSession(machine.session(remote, [`${inner}/32`]));
    }
  }

  /** The same session inside ESP: socket 1 is a protected one, socket 2 carries ESP in UDP, policy and pair are 1. */
  async connectProtected(): Promise<void> {
    for (const [machine, remote, inner] of [
      [this.left, RIGHT, RIGHT_INNER],
      [this.right, LEFT, LEFT_INNER],
    ] as const) {
      const { dataPlane } = machine;
      const socket = { family: 4, address: '0.0.0.0', mark: 0 } as const;
      await dataPlane.openSocket({ ...socket, id: 1, purpose: 'protected-l2tp', port: 1701 });
      await dataPlane.openSocket({ ...socket, id: 2, purpose: 'udp-encapsulation', port: 4500 });
      await dataPlane.addInterface({
        id: 1,
        name: 'l2tp-test',
        mtu: 1400,
        address: machine === this.left ? LEFT_INNER : RIGHT_INNER,
      });
      machine.protect();
      machine.dataPlane.putSa(machine.sa(remote));
      machine.protect(1);
      const session = machine.session(remote, [`${inner}/32`]);
      dataPlane.putSession({ ...session, path: { ...session.path, bearer: 1 } });
    }
  }

  /** Until nothing moves any more. */
  settle(): void {
    while (this.left.dataPlane.step() || this.right.dataPlane.step());
  }
}
