/** A data plane in this thread with a device on a wire and serial lines, for tests of PPP lines. */
import type { DataPlaneEvent } from '../../../../firmware/dataplane/data-plane.ts';
import type { LineSessionSpec, PppCarrier } from '../../../../firmware/dataplane/ppp-carrier.ts';
import { LocalDataPlane } from '../../../../firmware/dataplane/userspace/local-data-plane.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedEthernetSockets } from '../../../../hal/simulated/ethernet-socket.ts';
import { SimulatedHandles } from '../../../../hal/simulated/handles.ts';
import { SimulatedLinks } from '../../../../hal/simulated/links.ts';
import { SimulatedNetwork } from '../../../../hal/simulated/network.ts';
import { SimulatedOctetLines } from '../../../../hal/simulated/octet-line.ts';
import { type SimulatedFrame, SimulatedPacketSockets, SimulatedWire } from '../../../../hal/simulated/packet-socket.ts';
import { SimulatedPollerFactory } from '../../../../hal/simulated/poller.ts';
import { SimulatedTunFactory } from '../../../../hal/simulated/tun.ts';

export const OWN_MAC = '02:00:00:00:00:01';
export const PEER_MAC = '02:00:00:00:00:a1';
export const PEER = Uint8Array.of(2, 0, 0, 0, 0, 0xa1);
export const LINE = 1;
export const SESSION = 1;

export class LinesBench {
  readonly clock = new SimulatedClock();
  readonly handles = new SimulatedHandles();
  readonly wire = new SimulatedWire();
  readonly packets = new SimulatedPacketSockets();
  readonly lines = new SimulatedOctetLines(this.handles);
  readonly links = new SimulatedLinks();
  readonly tuns = new SimulatedTunFactory(this.handles, this.links);
  readonly events: DataPlaneEvent[] = [];
  /** What left by the device. */
  readonly sent: SimulatedFrame[] = [];
  readonly dataPlane: LocalDataPlane;

  constructor() {
    this.packets.addDevice('eth0', OWN_MAC, this.wire);
    this.wire.onFrame = (frame) => {
      if (frame.sourceMac === OWN_MAC) this.sent.push(frame);
    };
    this.dataPlane = new LocalDataPlane({
      links: this.links,
      tuns: this.tuns,
      sockets: new SimulatedNetwork(this.handles).udpSockets([]),
      ethernet: new SimulatedEthernetSockets(this.handles, this.packets),
      octetLines: this.lines,
      poller: new SimulatedPollerFactory(this.handles).open(),
      now: () => this.clock.now(),
    });
    this.dataPlane.onEvent((event) => this.events.push(event));
  }

  /** Line, TUN and session. */
  async open(carrier: PppCarrier, session: Partial<LineSessionSpec> = {}): Promise<void> {
    await this.dataPlane.openLine({ id: LINE, carrier });
    await this.dataPlane.addInterface({ id: 1, name: 'ppp-test', mtu: 1492, address: '10.99.0.1' });
    this.dataPlane.putSession({
      key: SESSION,
      line: LINE,
      network: {
        interface: 1,
        protocolCompression: false,
        addressControlCompression: false,
        mtu: 1492,
        destinations: ['0.0.0.0/0'],
        sources: ['0.0.0.0/0'],
      },
      ...session,
    });
    await this.settle();
  }

  get tun() {
    const tun = this.tuns.device('ppp-test');
    if (tun === undefined) throw new Error('there is no TUN');
    return tun;
  }

  /** The peer sends what stands behind the Ethernet header of a session frame. */
  hear(payload: Uint8Array, sourceMac = PEER_MAC): void {
    this.wire.carry({ sourceMac, destinationMac: OWN_MAC, etherType: 0x8864, payload });
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) {
      await Promise.resolve();
      while (this.dataPlane.step());
    }
  }

  async drops(): Promise<Readonly<Record<string, number>>> {
    const { drops, sessions } = await this.dataPlane.counters();
    const all: Record<string, number> = {};
    for (const [reason, count] of [...Object.entries(drops), ...Object.entries(sessions[0]?.drops ?? {})]) {
      if (count > 0) all[reason] = (all[reason] ?? 0) + count;
    }
    return all;
  }
}
