/**
 * A server on loopback, in a network namespace of its own, under floods; prints what it has seen and what it holds.
 * Run with --expose-gc. Everything is real but the network around the tunnel, which a stranger never reaches.
 */
import { UserspaceDataPlane } from '../../firmware/dataplane/userspace/userspace-data-plane.ts';
import { encodeControlMessage } from '../../firmware/protocol/l2tp/control-message.ts';
import { DataPlaneDispatch } from '../../firmware/vpn/data-plane-dispatch.ts';
import { L2tpServer } from '../../firmware/vpn/l2tp/server.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { LinuxLinks } from '../../hal/linux/links.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { memoryInUse, randomDatagram, Strangers } from './flood-tools.ts';

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

const PORT = 1701;
const limits = { halfOpenPerAddress: 4, halfOpenTotal: 64, tunnels: 1024, sessionsPerTunnel: 256 };

const [randomWanted = 0, requestsWanted = 0, seed = 0] = process.argv.slice(2).map(Number);

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
      networks: { review: () => undefined, up: async () => undefined, down: async () => undefined },
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
  const strangers = await Strangers.gather(received);
  const request = requests();
  const junk = Array.from({ length: 4096 }, (_, index) => randomDatagram(random, index, request(index)));
  const pick = (index: number) => ({ bytes: junk[(index * 7919) % junk.length] ?? new Uint8Array(0), port: PORT });
  await strangers.flood(20_000, pick);
  const before = memoryInUse();
  const randomReceived = await strangers.flood(randomWanted, pick);
  const tunnelsAfterRandom = server.machine.tunnels.length;
  const afterRandom = memoryInUse();

  let mostTunnels = 0;
  strangers.forgetAnswers();
  const call = (index: number) => ({ bytes: request(index), port: PORT });
  const requestsReceived = await strangers.flood(requestsWanted, call, () => {
    mostTunnels = Math.max(mostTunnels, server.machine.tunnels.length);
  });
  const report: FloodReport = {
    randomReceived,
    tunnelsAfterRandom,
    requestsReceived,
    mostTunnels,
    memory: [before, afterRandom, memoryInUse()],
    answersPerRequest: strangers.answers / requestsReceived,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  strangers.close();
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

await main();
