import { describe, expect, it } from 'vitest';
import type { DataPlaneEvent } from '../../../../firmware/dataplane/data-plane.ts';
import { SOCKET_STRANGERS, SOCKET_UNPROVEN } from '../../../../firmware/dataplane/userspace/control-queue.ts';
import { UserspaceEngine } from '../../../../firmware/dataplane/userspace/engine.ts';
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import { SimulatedHandles } from '../../../../hal/simulated/handles.ts';
import { SimulatedNetwork } from '../../../../hal/simulated/network.ts';
import { SimulatedPollerFactory } from '../../../../hal/simulated/poller.ts';
import { SimulatedTunFactory } from '../../../../hal/simulated/tun.ts';
import type { UdpSocket } from '../../../../hal/udp-socket.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);
const SERVER = '192.0.2.1';
const PEER = '192.0.2.2';
const STRANGER = '192.0.2.3';

const quietPoller = { add: () => {}, awaitRoom: () => {}, remove: () => {}, wakeHandle: 0, close: () => {} };

/** An engine whose control thread deals with events only when the test says so. */
class Bench {
  acknowledged = 0;
  readonly events: DataPlaneEvent[] = [];
  readonly #handles = new SimulatedHandles();
  readonly #network = new SimulatedNetwork(this.#handles);
  readonly engine = new UserspaceEngine({
    tuns: new SimulatedTunFactory(this.#handles),
    sockets: this.#network.udpSockets([SERVER]),
    poller: new SimulatedPollerFactory(this.#handles).open(),
    ciphers: new PortablePacketCipherFactory(),
    random: new SeededRandom(1),
    now: () => 0,
    acknowledged: () => this.acknowledged,
    emit: (message) => {
      if (message.kind === 'event') this.events.push(message.event);
    },
  });

  constructor() {
    const spec = { id: 1, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 } as const;
    this.engine.execute({ kind: 'open-socket', request: 1, spec });
    this.engine.execute({
      kind: 'put-session',
      spec: {
        key: 1,
        socket: 1,
        path: { remote: { address: PEER, port: 1701 }, local: { address: SERVER, port: 1701 } },
        localTunnelId: 1,
        localSessionId: 1,
        peerTunnelId: 1,
        peerSessionId: 1,
        lengthField: false,
        sequencing: false,
      },
    });
  }

  flood(from: string, count: number): void {
    const options = { family: 4, address: from, port: 1701, mark: 0 } as const;
    const socket = this.#network.udpSockets([from]).open(options);
    for (let sent = 0; sent < count; sent++) {
      socket.send(CONTROL, SERVER, 1701, '0.0.0.0');
      if (sent % 500 === 499) this.settle();
    }
    this.settle();
    socket.close();
  }

  settle(): void {
    while (this.engine.step(0));
  }
}

describe('what waits for the control thread', () => {
  it('is bounded: at one socket, strangers get less than peers with a session', () => {
    const bench = new Bench();
    bench.flood(STRANGER, 3000);
    expect(bench.events).toHaveLength(SOCKET_STRANGERS);
    bench.flood(PEER, 3000);
    expect(bench.events).toHaveLength(SOCKET_UNPROVEN);
  });

  it('grows again as the control thread deals with it', () => {
    const bench = new Bench();
    bench.flood(STRANGER, 1000);
    bench.acknowledged = 100;
    bench.flood(STRANGER, 1000);
    expect(bench.events).toHaveLength(SOCKET_STRANGERS + 100);
  });
});

describe('the error queue of a socket', () => {
  it('is read although datagrams never end, and what strangers can make of it is bounded', () => {
    const handles = new SimulatedHandles();
    const poller = { ...quietPoller, wait: () => [7] };
    const events: DataPlaneEvent[] = [];
    let forged = 0;
    const socket: UdpSocket = {
      localPort: 4500,
      handle: 7,
      receive: (_into, info) => {
        info.length = 1;
        return true;
      },
      send: () => undefined,
      readError: () => ({
        code: 'EHOSTUNREACH',
        remoteAddress: `10.0.${forged >> 8}.${forged++ & 255}`,
        remotePort: 4500,
        mtu: 0,
      }),
      close: () => {},
    };
    const engine = new UserspaceEngine({
      tuns: new SimulatedTunFactory(handles),
      sockets: { open: () => socket },
      poller,
      ciphers: new PortablePacketCipherFactory(),
      random: new SeededRandom(1),
      now: () => 0,
      acknowledged: () => 0,
      emit: (message) => {
        if (message.kind === 'event') events.push(message.event);
      },
    });
    const spec = { id: 1, purpose: 'udp-encapsulation', family: 4, address: '0.0.0.0', port: 4500, mark: 0 } as const;
    engine.execute({ kind: 'open-socket', request: 1, spec });
    engine.step(0);
    expect(events[0]).toMatchObject({ kind: 'path-error', code: 'EHOSTUNREACH' });
    for (let turn = 0; turn < 200; turn++) engine.step(0);
    expect(events).toHaveLength(SOCKET_UNPROVEN);
  });
});
