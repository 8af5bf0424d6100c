/** How long the engine blocks: for ever, but while something waits for its turn no longer than until then. */
import { expect, it } from 'vitest';
import { UserspaceEngine } from '../../../../firmware/dataplane/userspace/engine.ts';
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import { SimulatedHandles } from '../../../../hal/simulated/handles.ts';
import { SimulatedNetwork } from '../../../../hal/simulated/network.ts';
import { SimulatedPollerFactory } from '../../../../hal/simulated/poller.ts';
import { SimulatedTunFactory } from '../../../../hal/simulated/tun.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { dataMessage, LOCAL, PEER, pppFrame, SESSION } from './forwarder-bench.ts';

it('the engine blocks until a message has waited long enough for one that it has overtaken, then goes on', () => {
  const handles = new SimulatedHandles();
  const network = new SimulatedNetwork(handles);
  const poller = new SimulatedPollerFactory(handles).open();
  const waits: number[] = [];
  const frames: number[] = [];
  let now = 0;
  const engine = new UserspaceEngine({
    tuns: new SimulatedTunFactory(handles),
    sockets: network.udpSockets([LOCAL]),
    poller: {
      ...{
        wakeHandle: 0,
        close: () => {},
        add: (handle) => poller.add(handle),
        awaitRoom: () => undefined,
        remove: (handle) => poller.remove(handle),
      },
      wait: (timeoutMs) => {
        waits.push(timeoutMs);
        return poller.wait(0);
      },
    },
    ciphers: new PortablePacketCipherFactory(),
    random: new SeededRandom(1),
    now: () => now,
    acknowledged: () => 0,
    emit: (message) => {
      if (message.kind === 'event' && message.event.kind === 'ppp-frame') frames.push(message.event.frame[3] ?? -1);
    },
  });
  const { network: _, ...spec } = SESSION;
  const socket = { id: SESSION.socket, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 } as const;
  engine.execute({ kind: 'open-socket', request: 1, spec: socket });
  engine.execute({ kind: 'put-session', spec: { ...spec, reorder: { packets: 16, milliseconds: 20 } } });
  const peer = network.udpSockets([PEER]).open({ family: 4, address: PEER, port: 1701, mark: 0 });
  for (const ns of [0, 2]) {
    const echo = Uint8Array.of(9, ns, 0, 4);
    peer.send(dataMessage(pppFrame([0xff, 0x03, 0xc0, 0x21], echo), { ns }), LOCAL, 1701, '0.0.0.0');
  }
  engine.step(-1);
  expect(frames).toEqual([0]);
  now = 4.5;
  engine.step(-1);
  engine.step(5);
  expect(frames).toEqual([0]);
  now = 20;
  engine.step(-1);
  expect(frames).toEqual([0, 2]);
  engine.step(-1);
  expect(waits).toEqual([-1, 16, 5, 0, -1]);
});
