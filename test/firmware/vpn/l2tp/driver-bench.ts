/** The drivers of a client and a server on fake data planes, joined by a wire in virtual time. */
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import type { UdpEndpoint } from '../../../../firmware/protocol/udp-path.ts';
import { DataPlaneDispatch } from '../../../../firmware/vpn/data-plane-dispatch.ts';
import { L2tpClient } from '../../../../firmware/vpn/l2tp/client.ts';
import type { L2tpClientPlacement, L2tpClientServices } from '../../../../firmware/vpn/l2tp/client-services.ts';
import type { L2tpClientOptions } from '../../../../firmware/vpn/l2tp/client-types.ts';
import { L2tpServer } from '../../../../firmware/vpn/l2tp/server.ts';
import type { L2tpServerOptions } from '../../../../firmware/vpn/l2tp/server-types.ts';
import { RadiusDesk, type RadiusDeskOptions } from '../../../../firmware/vpn/radius/radius-desk.ts';
import type { TunnelNetwork, TunnelNetworks } from '../../../../firmware/vpn/tunnel-networks.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { FakeDataPlane } from '../fake-data-plane.ts';

export const CLIENT: UdpEndpoint = { address: '10.20.0.9', port: 40_000 };
export const SERVER: UdpEndpoint = { address: '10.20.0.2', port: 1701 };

/** Networks around tunnels, on paper. */
export class FakeNetworks implements TunnelNetworks {
  readonly standing = new Map<string, TunnelNetwork>();
  gate: Promise<void> | undefined;
  refused: { up?: string; down?: string } = {};
  /** What {@link review} says. */
  refusal: Failure | undefined;

  review(): Failure | undefined {
    return this.refusal;
  }

  async up(network: TunnelNetwork): Promise<void> {
    await this.gate;
    this.standing.set(network.device, network);
    if (this.refused.up !== undefined) throw new Error(this.refused.up);
  }

  async down(device: string): Promise<void> {
    this.standing.delete(device);
    if (this.refused.down !== undefined) throw new Error(this.refused.down);
  }
}

/** One machine of the bench. */
export class Site {
  readonly dataPlane = new FakeDataPlane();
  readonly dispatch = new DataPlaneDispatch(this.dataPlane, () => undefined);
  readonly networks = new FakeNetworks();
  /** `up`, `failed resolve: no answer` ... */
  readonly states: string[] = [];
  readonly steps: string[] = [];

  services(clock: SimulatedClock, seed: number) {
    return {
      dispatch: this.dispatch,
      clock,
      random: new SeededRandom(seed),
      networks: this.networks,
      onStep: ({ step, detail }: { step: string; detail?: string }) => {
        this.steps.push(detail === undefined ? step : `${step}: ${detail}`);
      },
      onState: (state: string, failure?: { step: string; reason: string }) => {
        this.states.push(failure ? `${state} ${failure.step}: ${failure.reason}` : state);
      },
    };
  }
}

export class DriverBench {
  readonly clock = new SimulatedClock();
  readonly branch = new Site();
  readonly office = new Site();
  readonly client: L2tpClient;
  readonly server: L2tpServer;
  /** Nothing arrives while it is cut. */
  cut = false;
  resolve: L2tpClientServices['resolve'] = async () => [SERVER.address];
  localAddress: NonNullable<L2tpClientServices['localAddress']> = async () => undefined;
  /** What a RADIUS server answers to head office; `undefined`: nothing. */
  radius: (request: Uint8Array, remote: UdpEndpoint) => Uint8Array | undefined = () => undefined;

  /** @param desk head office asks RADIUS servers. */
  constructor(
    client: Partial<L2tpClientOptions> = {},
    server: Partial<L2tpServerOptions> = {},
    desk?: RadiusDeskOptions,
    placement: Partial<L2tpClientPlacement> = {},
  ) {
    const common = { hostName: 'bench', hideAvps: false, mru: 1400, authentication: ['chap' as const] };
    this.client = new L2tpClient(
      { name: 'hq', device: 'l2tp-hq', sourcePort: CLIENT.port, mark: 1, routes: ['10.99.0.0/16'], ...placement },
      { ...common, server: 'office.example', port: 1701, user: 'bob', password: 'bob-pw', ...client },
      {
        ...this.branch.services(this.clock, 1),
        resolve: (name) => this.resolve(name),
        localAddress: (remote) => this.localAddress(remote),
      },
    );
    this.server = new L2tpServer(
      { name: 'office', device: 'l2tp-office', listen: '0.0.0.0', port: 1701, mark: 1, prefixes: [POOL], mtu: 1400 },
      {
        ...common,
        localAddress: '10.98.0.1',
        pool: '10.98.0.16-10.98.0.23',
        dns: ['10.98.0.1'],
        users: { bob: { password: 'bob-pw', routes: ['192.168.12.0/24'] } },
        ...server,
      },
      { ...this.office.services(this.clock, 2), ...(desk ? { radius: this.#desk(desk) } : {}) },
    );
  }

  /** Lets everything happen that needs no time: promises, datagrams, frames. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((done) => setImmediate(done));
      quiet = this.#carry() ? 0 : quiet + 1;
    }
  }

  /** Virtual time, in steps of a tenth of a second. */
  async run(seconds: number): Promise<void> {
    await this.settle();
    for (let step = 0; step < 10 * seconds; step += 1) {
      this.clock.advance(100);
      await this.settle();
    }
  }

  async up(): Promise<void> {
    await this.server.start();
    this.client.connect();
    await this.run(1);
    if (this.client.state !== 'up') throw new Error(`not up: ${this.branch.states.join(', ')}`);
  }

  #desk(options: RadiusDeskOptions): RadiusDesk {
    const resolve = async () => ['10.0.0.5'];
    return new RadiusDesk(options, { ...this.office.services(this.clock, 3), mark: 1, resolve });
  }

  #carry(): boolean {
    const moved =
      this.#carryRadius() ||
      carryDatagrams(this.branch, CLIENT, this.office, this.cut) ||
      carryDatagrams(this.office, SERVER, this.branch, this.cut);
    const spoken = carryFrames(this.branch, this.office, this.cut) || carryFrames(this.office, this.branch, this.cut);
    return moved || spoken;
  }

  #carryRadius(): boolean {
    const { dataPlane } = this.office;
    const asked = dataPlane.sent.filter(({ path }) => RADIUS_PORTS.includes(path.remote.port));
    const others = dataPlane.sent.filter((datagram) => !asked.includes(datagram));
    dataPlane.sent.splice(0, dataPlane.sent.length, ...others);
    const [socket] = [...dataPlane.sockets.values()].filter(({ purpose }) => purpose === 'datagram');
    for (const { path, bytes } of asked) {
      const answer = this.radius(bytes, path.remote);
      if (!answer || !socket) continue;
      dataPlane.listener({ kind: 'datagram', socket: socket.id, path, bytes: answer, interfaceIndex: 1 });
    }
    return asked.length > 0;
  }
}

const POOL = '10.98.0.16/29';
/** Ports of RADIUS. */
const RADIUS_PORTS = [1812, 1813];

function carryDatagrams(from: Site, source: UdpEndpoint, to: Site, cut: boolean): boolean {
  const batch = from.dataPlane.sent.splice(0);
  for (const { path, bytes } of batch) {
    const [socket] = [...to.dataPlane.sockets.keys()];
    if (cut || socket === undefined) continue;
    const arrived = { remote: source, local: path.remote };
    to.dataPlane.listener({ kind: 'datagram', socket, path: arrived, bytes, interfaceIndex: 1 });
  }
  return batch.length > 0;
}

function carryFrames(from: Site, to: Site, cut: boolean): boolean {
  const batch = from.dataPlane.frames.splice(0);
  for (const { session, frame } of batch) {
    const spec = from.dataPlane.sessions.get(session);
    const twin = [...to.dataPlane.sessions.values()].find(
      (other) => other.localTunnelId === spec?.peerTunnelId && other.localSessionId === spec.peerSessionId,
    );
    if (!cut && twin) to.dataPlane.listener({ kind: 'ppp-frame', session: twin.key, frame });
  }
  return batch.length > 0;
}
