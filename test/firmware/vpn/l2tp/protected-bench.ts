/** The drivers of protected clients and of one protected server, on fake data planes and channels, in virtual time. */
import { L2tpClient } from '../../../../firmware/vpn/l2tp/client.ts';
import type { L2tpClientPlacement } from '../../../../firmware/vpn/l2tp/client-services.ts';
import { L2tpServer } from '../../../../firmware/vpn/l2tp/server.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SERVER, Site } from './driver-bench.ts';
import { type FakeChannel, FakeChannels } from './fake-channels.ts';

/** Of the NAT, behind which all branches are. */
export const NAT = { address: '198.51.100.7', port: 1701 };

export class Branch extends Site {
  readonly channels = new FakeChannels();
  readonly client: L2tpClient;
  /** What it sends, and what is sent to it, is lost. */
  cut = false;

  constructor(clock: SimulatedClock, placement: Partial<L2tpClientPlacement>, channels: boolean) {
    super();
    this.client = new L2tpClient(
      { name: 'hq', device: 'l2tp-hq', sourcePort: 0, mark: 1, routes: ['10.99.0.0/16'], ipsec: 'hq', ...placement },
      {
        hostName: 'branch',
        server: 'office.example',
        port: 1701,
        user: 'bob',
        password: 'bob-pw',
        authentication: ['chap'],
        hideAvps: false,
        mru: 1380,
      },
      {
        // The same seed everywhere: all branches choose the same tunnel and session ids.
        ...this.services(clock, 1),
        resolve: async () => [SERVER.address],
        ...(channels ? { channels: this.channels } : {}),
      },
    );
  }
}

export class ProtectedBench {
  readonly clock = new SimulatedClock();
  readonly office = new Site();
  readonly officeChannels = new FakeChannels();
  readonly server: L2tpServer;
  readonly branches: Branch[] = [];
  /** Every purpose and port for which a socket was opened, on any side. */
  readonly opened: string[] = [];

  constructor(withChannels = true) {
    const pool = '10.98.0.16/29';
    this.#watch(this.office);
    this.server = new L2tpServer(
      {
        name: 'office',
        device: 'l2tp-office',
        listen: '0.0.0.0',
        port: 1701,
        mark: 1,
        prefixes: [pool],
        mtu: 1380,
        ipsec: 'callers',
      },
      {
        hostName: 'office',
        localAddress: '10.98.0.1',
        pool: '10.98.0.16-10.98.0.23',
        dns: [],
        users: { bob: { password: 'bob-pw' } },
        authentication: ['chap'],
        hideAvps: false,
        mru: 1380,
      },
      { ...this.office.services(this.clock, 2), ...(withChannels ? { channels: this.officeChannels } : {}) },
    );
  }

  /** A branch whose channels come up by themselves where the server takes calls. */
  branch(placement: Partial<L2tpClientPlacement> = {}, channels = true): Branch {
    const branch = new Branch(this.clock, placement, channels);
    this.#watch(branch);
    this.branches.push(branch);
    branch.channels.onDial = (channel) => this.join(channel);
    return branch;
  }

  /** Both ends of the channel stand. */
  join(channel: FakeChannel): void {
    const taken = this.officeChannels.served.find(({ stopped }) => !stopped);
    if (!taken) return;
    channel.peer = { id: this.officeChannels.nextId(), server: taken.server };
    taken.server.up(channel.peer.id);
    channel.up();
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

  /** Runs the clock until something that was begun is done. */
  async until(done: Promise<void>): Promise<void> {
    let over = false;
    const waiting = done.then(() => {
      over = true;
    });
    for (let step = 0; !over && step < 100; step += 1) await this.run(0.1);
    await waiting;
  }

  #watch(site: Site): void {
    const { dataPlane } = site;
    const openSocket = dataPlane.openSocket.bind(dataPlane);
    dataPlane.openSocket = (spec) => {
      this.opened.push(`${spec.purpose} ${spec.port}`);
      return openSocket(spec);
    };
  }

  #carry(): boolean {
    let moved = false;
    for (const branch of this.branches) {
      const sent = branch.dataPlane.sent.splice(0);
      const frames = branch.dataPlane.frames.splice(0);
      moved ||= sent.length + frames.length > 0;
      for (const { path, bytes } of sent) {
        if (path.bearer === undefined) throw new Error('a datagram in clear');
        const peer = branch.channels.open.find(({ id }) => id === path.bearer)?.peer;
        if (!peer || branch.cut) continue;
        const arrived = { remote: NAT, local: SERVER, bearer: peer.id };
        const { socket } = peer.server;
        this.office.dataPlane.listener({ kind: 'datagram', socket, path: arrived, bytes, interfaceIndex: 0 });
      }
      for (const { session, frame } of frames) {
        const spec = branch.dataPlane.sessions.get(session);
        const peer = branch.channels.open.find(({ id }) => id === spec?.path.bearer)?.peer;
        const twin = [...this.office.dataPlane.sessions.values()].find(
          (other) => other.path.bearer === peer?.id && other.localSessionId === spec?.peerSessionId,
        );
        if (peer && twin && !branch.cut)
          this.office.dataPlane.listener({ kind: 'ppp-frame', session: twin.key, frame });
      }
    }
    return this.#carryBack() || moved;
  }

  #carryBack(): boolean {
    const sent = this.office.dataPlane.sent.splice(0);
    const frames = this.office.dataPlane.frames.splice(0);
    for (const { path, bytes } of sent) {
      if (path.bearer === undefined) throw new Error('a datagram in clear');
      const [branch, channel] = this.#otherEnd(path.bearer) ?? [];
      if (!branch || !channel) continue;
      const { socket, remoteAddress, localPort } = { ...channel.request.inside, ...channel.request };
      const arrived = {
        remote: { address: remoteAddress, port: 1701 },
        local: { address: '192.168.1.10', port: localPort },
        bearer: channel.id,
      };
      branch.dataPlane.listener({ kind: 'datagram', socket, path: arrived, bytes, interfaceIndex: 0 });
    }
    for (const { session, frame } of frames) {
      const spec = this.office.dataPlane.sessions.get(session);
      const [branch, channel] = this.#otherEnd(spec?.path.bearer) ?? [];
      const twin = [...(branch?.dataPlane.sessions.values() ?? [])].find(
        (other) => other.path.bearer === channel?.id && other.localSessionId === spec?.peerSessionId,
      );
      if (branch && twin) branch.dataPlane.listener({ kind: 'ppp-frame', session: twin.key, frame });
    }
    return sent.length + frames.length > 0;
  }

  #otherEnd(bearer: number | undefined): [Branch, FakeChannel] | undefined {
    for (const branch of this.branches) {
      const channel = branch.channels.open.find(({ peer }) => peer !== undefined && peer.id === bearer);
      if (channel && !branch.cut) return [branch, channel];
    }
    return undefined;
  }
}
