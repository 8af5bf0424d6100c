/**
 * A server on loopback, in a network namespace of its own, under floods; prints what it has seen and what it holds.
 * Run with --expose-gc. Everything is real but the network around the tunnel, which a stranger never reaches.
 */
import { createSocket, type Socket } from 'node:dgram';
import { UserspaceDataPlane } from '../../firmware/dataplane/userspace/userspace-data-plane.ts';
import { encodeControlMessage } from '../../firmware/protocol/l2tp/control-message.ts';
import { DataPlaneDispatch } from '../../firmware/vpn/data-plane-dispatch.ts';
import { L2tpServer } from '../../firmware/vpn/l2tp/server.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { LinuxLinks } from '../../hal/linux/links.ts';
import { SeededRandom } from '../support/seeded-random.ts';

/** What the parent reads, as one JSON line. */
export interface FloodReport {
  readonly randomReceived: number;
  readonly tunnelsAfterRandom: number;
  readonly requestsReceived: number;
  readonly mostTunnels: number;
  /** heapUsed + external after collection, octets: before, after the random flood, after the flood of requests. */
  readonly memory: readonly [number, number, number];
  readonly answersPerRequest: number;
}

const BATCH = 1000;
/** Addresses of loopback from which requests come. */
const SOURCES = 40;
const limits = { halfOpenPerAddress: 4, halfOpenTotal: 64, tunnels: 1024, sessionsPerTunnel: 256 };

const [randomWanted = 0, requestsWanted = 0, seed = 0] = process.argv.slice(2).map(Number);

function memory(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function main(): Promise<void> {
  const links = new LinuxLinks();
  await links.setUp('lo', true);
  const clock = new LinuxClock();
  const dataPlane = new UserspaceDataPlane({ links });
  const dispatch = new DataPlaneDispatch(dataPlane, (reason) => {
    throw new Error(reason);
  });
  const server = new L2tpServer(
    { name: 'flooded', device: 'l2tp-flooded', listen: '127.0.0.1', port: 1701, mark: 0, prefixes: [], mtu: 1400 },
    {
      hostName: 'flooded',
      localAddress: '10.98.0.1',
      pool: '10.98.0.10-10.98.0.20',
      dns: [],
      users: {},
      authentication: ['mschapv2'],
      hideAvps: false,
      mru: 1400,
      limits,
    },
    {
      dispatch,
      clock,
      random: new LinuxEntropy(),
      networks: { up: async () => undefined, down: async () => undefined },
      onStep: () => undefined,
      onState: () => undefined,
    },
  );
  await server.start();

  /** Datagrams that arrived in the program, by whatever way they then went. */
  const received = async (): Promise<number> => {
    const drops = Object.values((await dataPlane.counters()).drops).reduce((sum, count) => sum + count, 0);
    return drops + server.machine.counters.received;
  };
  const random = new SeededRandom(seed);
  const sockets = await Promise.all(Array.from({ length: SOURCES }, (_, index) => open(`127.0.1.${index + 1}`)));
  let answers = 0;
  for (const socket of sockets) socket.on('message', () => (answers += 1));

  /** Sends batches until `wanted` datagrams have been received: one that is lost in a socket buffer tests nothing. */
  async function flood(wanted: number, datagram: (index: number) => Uint8Array, look: () => void): Promise<number> {
    const before = await received();
    let sent = 0;
    for (let got = 0; got < wanted; got = (await received()) - before) {
      const waits: Promise<void>[] = [];
      for (let index = 0; index < BATCH; index += 1) {
        const socket = sockets[sent % SOURCES];
        if (socket) waits.push(send(socket, datagram(sent)));
        sent += 1;
      }
      await Promise.all(waits);
      look();
    }
    return (await received()) - before;
  }

  const request = requests();
  const junk = Array.from({ length: 4096 }, (_, index) => randomDatagram(random, index, request(index)));
  const pick = (index: number): Uint8Array => junk[(index * 7919) % junk.length] ?? new Uint8Array(0);
  await flood(20_000, pick, () => undefined);
  const before = memory();
  const randomReceived = await flood(randomWanted, pick, () => undefined);
  const tunnelsAfterRandom = server.machine.tunnels.length;
  const afterRandom = memory();

  let mostTunnels = 0;
  answers = 0;
  const requestsReceived = await flood(requestsWanted, request, () => {
    mostTunnels = Math.max(mostTunnels, server.machine.tunnels.length);
  });
  const report: FloodReport = {
    randomReceived,
    tunnelsAfterRandom,
    requestsReceived,
    mostTunnels,
    memory: [before, afterRandom, memory()],
    answersPerRequest: answers / requestsReceived,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  for (const socket of sockets) socket.close();
  await server.stop();
  await dataPlane.close();
}

/** Valid SCCRQs, each of a tunnel of its own. */
function requests(): (index: number) => Uint8Array {
  return (index) =>
    encodeControlMessage({ tunnelId: 0, sessionId: 0, ns: 0, nr: 0 }, 'SCCRQ', {
      protocolVersion: { version: 1, revision: 0 },
      framingCapabilities: 3,
      hostName: `caller-${index % 100_000}`,
      assignedTunnelId: 1 + (index % 65_535),
      receiveWindowSize: 4,
    } as Parameters<typeof encodeControlMessage>[2]);
}

/** Half of them random, half a valid SCCRQ with octets changed: those get deeper. */
function randomDatagram(random: SeededRandom, index: number, valid: Uint8Array): Uint8Array {
  if (index % 2 === 0) return random.bytes(random.int(1400));
  const broken = Uint8Array.from(valid);
  for (let change = 0; change < 1 + random.int(6); change += 1) broken[random.int(broken.length)] = random.int(256);
  return random.int(4) === 0 ? broken.subarray(0, random.int(broken.length)) : broken;
}

async function open(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind(0, address, resolve);
  await promise;
  return socket;
}

function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.send(bytes, 1701, '127.0.0.1', () => resolve());
  return promise;
}

await main();
