/** IPsec services on fake data planes, joined by a wire in virtual time. */
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { DataPlaneDispatch } from '../../../../firmware/vpn/data-plane-dispatch.ts';
import type { ChannelListener } from '../../../../firmware/vpn/ipsec/channel.ts';
import { IpsecService } from '../../../../firmware/vpn/ipsec/ipsec-service.ts';
import type { WorkingOffer } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { FakeDataPlane } from '../fake-data-plane.ts';
import { FakeNetworks } from '../l2tp/driver-bench.ts';

export class ServiceSite {
  readonly address: string;
  readonly dataPlane = new FakeDataPlane();
  readonly dispatch = new DataPlaneDispatch(this.dataPlane, () => undefined);
  readonly networks = new FakeNetworks();
  readonly memory = new Map<string, WorkingOffer>();
  readonly steps: string[] = [];
  readonly states: string[] = [];
  readonly service: IpsecService;
  route = true;
  resolved: readonly string[] | Failure = [];

  constructor(address: string, clock: SimulatedClock, seed: number) {
    this.address = address;
    this.service = new IpsecService({
      dispatch: this.dispatch,
      clock,
      wall: () => ({ at: clock.wall(), trusted: true }),
      random: new SeededRandom(seed),
      mark: 7,
      sourceAddress: async () => (this.route ? address : undefined),
      resolve: async () => this.resolved,
      networks: this.networks,
      qcdSecret: new SeededRandom(seed + 100).bytes(32),
      memory: this.memory,
      onStep: (connection, { direction = '', step, detail = '' }) =>
        this.steps.push(`${connection} ${direction} ${step} ${detail}`),
      onState: (connection, state, failure) =>
        this.states.push(failure ? `${connection} ${state} ${failure.step}` : `${connection} ${state}`),
    });
  }

  /** Ports of its sockets, in the order in which they were opened. */
  get ports(): readonly number[] {
    return [...this.dataPlane.sockets.values()].map(({ port }) => port);
  }
}

/** What a user of a channel is told. */
export class Listener implements ChannelListener {
  readonly said: string[] = [];
  failure: Failure | undefined;

  up(): void {
    this.said.push('up');
  }

  down(failure: Failure): void {
    this.said.push(`down ${failure.step}`);
    this.failure = failure;
  }
}

export class ServiceBench {
  readonly clock = new SimulatedClock();
  readonly branch = new ServiceSite('192.0.2.1', this.clock, 1);
  readonly office = new ServiceSite('192.0.2.2', this.clock, 2);
  cut = false;

  /** Virtual time. */
  async run(seconds: number): Promise<void> {
    const until = this.clock.now() + seconds * 1000;
    for (;;) {
      await this.settle();
      const next = this.clock.nextTimer;
      if (next === undefined || next > until) break;
      this.clock.advanceTo(Math.max(next, this.clock.now()));
    }
    this.clock.advanceTo(until);
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((done) => setImmediate(done));
      quiet = this.#carry(this.branch, this.office) || this.#carry(this.office, this.branch) ? 0 : quiet + 1;
    }
  }

  /** While something takes virtual time. */
  async until<Result>(wanted: Promise<Result>): Promise<Result> {
    let done = false;
    const ended = wanted.finally(() => {
      done = true;
    });
    for (let turn = 0; turn < 500 && !done; turn += 1) await this.run(0.05);
    return ended;
  }

  #carry(from: ServiceSite, to: ServiceSite): boolean {
    const batch = from.dataPlane.sent.splice(0);
    for (const { path, bytes } of batch) {
      const [socket] = [...to.dataPlane.sockets].find(([, { port }]) => port === path.remote.port) ?? [];
      if (this.cut || socket === undefined) continue;
      const arrived = { remote: path.local, local: path.remote };
      to.dataPlane.listener({ kind: 'datagram', socket, path: arrived, bytes, interfaceIndex: 1 });
    }
    return batch.length > 0;
  }
}
