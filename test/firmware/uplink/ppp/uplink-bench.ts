/** An uplink over PPPoE on a simulated wire, with a concentrator at its other end. */

import { LocalDataPlane } from '../../../../firmware/dataplane/userspace/local-data-plane.ts';
import { PppUplink } from '../../../../firmware/uplink/ppp/ppp-uplink.ts';
import type { PppUplinkOptions } from '../../../../firmware/uplink/ppp/ppp-uplink-types.ts';
import { PppoeLine, type PppoeLineOptions } from '../../../../firmware/uplink/ppp/pppoe-line.ts';
import type { RememberedSession, SessionMemory } from '../../../../firmware/uplink/ppp/pppoe-memory.ts';
import type { PppLineSource } from '../../../../firmware/uplink/ppp-line.ts';
import type { LinkView } from '../../../../firmware/uplink/uplink-types.ts';
import { DataPlaneDispatch } from '../../../../firmware/vpn/data-plane-dispatch.ts';
import type { Step } from '../../../../firmware/vpn/steps.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedEntropy } from '../../../../hal/simulated/entropy.ts';
import { SimulatedEthernetSockets } from '../../../../hal/simulated/ethernet-socket.ts';
import { SimulatedHandles } from '../../../../hal/simulated/handles.ts';
import { SimulatedLinks } from '../../../../hal/simulated/links.ts';
import { SimulatedNetwork } from '../../../../hal/simulated/network.ts';
import { SimulatedOctetLines } from '../../../../hal/simulated/octet-line.ts';
import { SimulatedPacketSockets, SimulatedWire } from '../../../../hal/simulated/packet-socket.ts';
import { SimulatedPollerFactory } from '../../../../hal/simulated/poller.ts';
import { SimulatedTunFactory } from '../../../../hal/simulated/tun.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { Concentrator } from './concentrator.ts';

export const MAC = '02:00:00:00:00:01';
export const DEVICE = 'ppp-adsl';

/** Milliseconds of simulated time between two looks. */
const TICK = 10;

/** What stays when a router is killed. */
export class Memory implements SessionMemory {
  readonly sessions = new Map<string, RememberedSession>();

  recall(name: string): RememberedSession | undefined {
    return this.sessions.get(name);
  }

  remember(name: string, session: RememberedSession | undefined): void {
    if (session === undefined) this.sessions.delete(name);
    else this.sessions.set(name, session);
  }
}

export interface UplinkBenchOptions {
  readonly seed?: number;
  /** Share of frames that are lost. */
  readonly loss?: number;
  readonly line?: Partial<PppoeLineOptions>;
  readonly uplink?: PppUplinkOptions;
  readonly deviceMtu?: number;
}

const ALICE: PppUplinkOptions = { authenticatee: { user: 'alice', password: 'alice-pw' } };

export class UplinkBench {
  readonly clock = new SimulatedClock();
  readonly handles = new SimulatedHandles();
  readonly octetLines = new SimulatedOctetLines(this.handles);
  readonly links = new SimulatedLinks();
  readonly tuns = new SimulatedTunFactory(this.handles, this.links);
  readonly packets = new SimulatedPacketSockets();
  readonly wire: SimulatedWire;
  readonly concentrator: Concentrator;
  readonly memory = new Memory();
  readonly steps: Step[] = [];
  readonly views: LinkView[] = [];
  readonly dataPlane: LocalDataPlane;
  readonly dispatch: DataPlaneDispatch;
  readonly #options: UplinkBenchOptions;
  readonly #random: SeededRandom;
  /** Each session of {@link useLines} that was let go of, with the octets that it had received by then. */
  readonly metered: { readonly session: number; readonly octetsReceived: number | undefined }[] = [];
  uplink: PppUplink;
  #turn: () => void = () => undefined;

  private constructor(options: UplinkBenchOptions) {
    const { seed = 1, loss = 0, deviceMtu = 1500 } = options;
    this.#options = options;
    this.#random = new SeededRandom(seed);
    const entropy = new SimulatedEntropy(seed);
    this.wire = new SimulatedWire({ delay: 1, clock: this.clock, loss, entropy });
    this.packets.addDevice('eth0', MAC, this.wire, deviceMtu);
    this.concentrator = new Concentrator(this.wire, this.clock, this.#random);
    this.dataPlane = new LocalDataPlane({
      links: this.links,
      tuns: this.tuns,
      sockets: new SimulatedNetwork(this.handles).udpSockets([]),
      ethernet: new SimulatedEthernetSockets(this.handles, this.packets),
      octetLines: this.octetLines,
      poller: new SimulatedPollerFactory(this.handles).open(),
      now: () => this.clock.now(),
    });
    this.dispatch = new DataPlaneDispatch(this.dataPlane, (reason) => {
      throw new Error(reason);
    });
    this.uplink = this.newUplink();
  }

  static async create(options: UplinkBenchOptions = {}): Promise<UplinkBench> {
    const bench = new UplinkBench(options);
    await bench.concentrator.attach(bench.packets);
    return bench;
  }

  /** The uplink dials by these instead of PPPoE. @param turn called whenever time has gone on. */
  useLines(lines: PppLineSource, turn: () => void): void {
    this.#turn = turn;
    const onStep = (step: Step): void => void this.steps.push(step);
    const meter = (session: number) => async () => {
      const { sessions } = await this.dataPlane.counters();
      const octetsReceived = sessions.find(({ key }) => key === session)?.octetsReceived;
      this.metered.push({ session, octetsReceived });
    };
    const common = { clock: this.clock, random: this.#random, onStep, meter };
    this.uplink = new PppUplink(DEVICE, lines, {}, { ...common, dispatch: this.dispatch, links: this.links });
  }

  /** Another one on the same machine, as after a restart of the program. */
  newUplink(options: PppUplinkOptions = this.#options.uplink ?? ALICE): PppUplink {
    const onStep = (step: Step): void => void this.steps.push(step);
    const common = { clock: this.clock, random: this.#random, onStep };
    const line = new PppoeLine(
      { name: 'adsl', device: 'eth0', ...this.#options.line },
      { ...common, sockets: this.packets, memory: this.memory },
    );
    const uplink = new PppUplink(DEVICE, line, options, { ...common, dispatch: this.dispatch, links: this.links });
    uplink.onChange = () => this.views.push(uplink.view());
    this.uplink = uplink;
    return uplink;
  }

  get view(): LinkView {
    return this.uplink.view();
  }

  get tun() {
    const tun = this.tuns.device(DEVICE);
    if (tun === undefined) throw new Error('there is no TUN');
    return tun;
  }

  /** Lets so much time pass. */
  async pass(milliseconds: number): Promise<void> {
    await this.until(() => false, milliseconds).catch(() => undefined);
  }

  /** @returns how long it took, ms. @throws when it does not come about. */
  async until(condition: () => boolean, limit = 60_000): Promise<number> {
    const start = this.clock.now();
    for (;;) {
      await this.#settle();
      if (condition()) return this.clock.now() - start;
      if (this.clock.now() - start >= limit) {
        throw new Error(`it has not come about within ${limit} ms: ${JSON.stringify(this.view)}`);
      }
      this.clock.advance(TICK);
      this.concentrator.tick();
      this.#turn();
    }
  }

  up(limit?: number): Promise<number> {
    return this.until(() => this.view.state === 'up', limit);
  }

  /** All that can happen without the clock. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) {
      await Promise.resolve();
      while (this.dataPlane.step());
    }
  }
}
