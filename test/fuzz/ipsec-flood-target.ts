/**
 * A router that takes IPsec calls on loopback, in a network namespace of its own, under floods on ports 500 and 4500; prints
 * what it has seen and what it holds. Run with --expose-gc.
 */
import { UserspaceDataPlane } from '../../firmware/dataplane/userspace/userspace-data-plane.ts';
import { IKEV1_DEFAULTS, IKEV2_DEFAULTS } from '../../firmware/protocol/ike/default-offers.ts';
import type { IkeConnection, IkeOutput } from '../../firmware/protocol/ike/ike-types.ts';
import { IkeV1Endpoint } from '../../firmware/protocol/ike/v1/endpoint.ts';
import { IkeV2Endpoint } from '../../firmware/protocol/ike/v2/endpoint.ts';
import type { UdpPath } from '../../firmware/protocol/udp-path.ts';
import { DataPlaneDispatch } from '../../firmware/vpn/data-plane-dispatch.ts';
import { IpsecService } from '../../firmware/vpn/ipsec/ipsec-service.ts';
import type { IpsecConnectionSettings } from '../../firmware/vpn/ipsec/ipsec-types.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { LinuxLinks } from '../../hal/linux/links.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { type Junk, memoryInUse, randomDatagram, Strangers } from './flood-tools.ts';

/** What the parent reads, as one JSON line. */
export interface IpsecFloodReport {
  readonly junkReceived: number;
  readonly requestsReceived: number;
  readonly mostIkeSas: number;
  /** heapUsed + external after collection, octets: before, after the junk, after the flood of requests. */
  readonly memory: readonly [number, number, number];
  readonly octetsBackPerOctet: number;
}

const PSK = 'a secret of both ends';
const MARKER = new Uint8Array(4);

const [junkWanted = 0, requestsWanted = 0, seed = 0] = process.argv.slice(2).map(Number);

function settings(version: 1 | 2): IpsecConnectionSettings {
  return {
    name: `callers${version}`,
    version,
    remote: 'any',
    authentication: { kind: 'psk', psk: PSK },
    mode: 'transport',
    profile: 'auto',
    encapsulation: 'auto',
    ikeLifetime: 14_400,
    childLifetime: 3600,
    dpdSeconds: 10,
  };
}

async function main(): Promise<void> {
  const links = new LinuxLinks();
  await links.setUp('lo', true);
  const dataPlane = new UserspaceDataPlane({ links });
  let events = 0;
  const counted: UserspaceDataPlane = new Proxy(dataPlane, {
    get: (target, key) => {
      if (key === 'onEvent') {
        return (listener: Parameters<UserspaceDataPlane['onEvent']>[0]) =>
          target.onEvent((event) => {
            if (event.kind === 'datagram') events += 1;
            listener(event);
          });
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const dispatch = new DataPlaneDispatch(counted, (reason) => {
    throw new Error(reason);
  });
  const offers = new Map();
  const service = new IpsecService({
    dispatch,
    clock: new LinuxClock(),
    wall: () => ({ at: Date.now(), trusted: true }),
    random: new LinuxEntropy(),
    mark: 0,
    sourceAddress: async () => '127.0.0.1',
    resolve: async (name: string) => [name],
    networks: { review: () => undefined, up: async () => undefined, down: async () => undefined },
    qcdSecret: new LinuxEntropy().bytes(32),
    memory: offers,
    onStep: () => undefined,
    onState: () => undefined,
  });
  await service.setConnections([settings(1), settings(2)]);
  const socket = dispatch.nextId();
  await dataPlane.openSocket({
    id: socket,
    purpose: 'protected-l2tp',
    family: 4,
    address: '0.0.0.0',
    port: 1701,
    mark: 0,
  });
  const server = { socket, up: () => undefined, down: () => undefined };
  for (const version of [1, 2]) await service.serve(`callers${version}`, server);

  /** Datagrams that arrived in the program, by whatever way they then went. */
  const received = async (): Promise<number> =>
    Object.values((await dataPlane.counters()).drops).reduce((sum, count) => sum + count, events);
  const ikeSas = (): number => service.info().reduce((sum, { ikeSas }) => sum + ikeSas.length, 0);

  const random = new SeededRandom(seed);
  const strangers = await Strangers.gather(received);
  const valid = firstMessages(random);
  const request = (index: number): Uint8Array => fresh(valid[index % valid.length] ?? MARKER, random);
  const junk = Array.from({ length: 4096 }, (_, index) => junkFor(random, index, request(index)));
  const pick = (index: number): Junk => junk[(index * 7919) % junk.length] ?? { bytes: MARKER, port: 500 };
  let mostIkeSas = 0;
  const look = (): void => {
    mostIkeSas = Math.max(mostIkeSas, ikeSas());
  };
  await strangers.flood(20_000, pick, look);
  const before = memoryInUse();
  const junkReceived = await strangers.flood(junkWanted, pick, look);
  const afterJunk = memoryInUse();
  strangers.forgetAnswers();
  const requestsReceived = await strangers.flood(
    requestsWanted,
    (index) => ({ bytes: request(index), port: 500 }),
    look,
  );
  const report: IpsecFloodReport = {
    junkReceived,
    requestsReceived,
    mostIkeSas,
    memory: [before, afterJunk, memoryInUse()],
    octetsBackPerOctet: strangers.answeredOctets / strangers.sentOctets,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  strangers.close();
  await service.stop();
  await dataPlane.close();
}

/** First messages of both versions, as real callers send them. */
function firstMessages(random: SeededRandom): readonly Uint8Array[] {
  const path: UdpPath = { local: { address: '127.0.1.1', port: 500 }, remote: { address: '127.0.0.1', port: 500 } };
  return ([1, 2] as const).flatMap((version) => {
    const offer = (version === 1 ? IKEV1_DEFAULTS : IKEV2_DEFAULTS).modern;
    const connection: IkeConnection = {
      name: 'caller',
      version,
      remote: '127.0.0.1',
      authentication: { kind: 'psk', key: new TextEncoder().encode(PSK) },
      mode: 'transport',
      transportPorts: { protocol: 17, local: 1701, remote: 1701 },
      ikeProposals: offer.ike,
      espProposals: offer.esp,
    };
    const endpoint =
      version === 1
        ? new IkeV1Endpoint({ connections: [connection] }, random)
        : new IkeV2Endpoint({ connections: [connection] }, random);
    endpoint.initiate(0, 'caller', path);
    const messages: Uint8Array[] = [];
    for (let output: IkeOutput | undefined = endpoint.poll(); output; output = endpoint.poll()) {
      if (output.kind === 'send') messages.push(output.datagram);
    }
    return messages;
  });
}

/** The same message from another initiator: its SPI (cookie) is the first eight octets. */
function fresh(message: Uint8Array, random: SeededRandom): Uint8Array {
  const copy = Uint8Array.from(message);
  copy.set(random.bytes(8), 0);
  return copy;
}

function junkFor(random: SeededRandom, index: number, valid: Uint8Array): Junk {
  const bytes = randomDatagram(random, index, valid);
  if (random.int(2) === 0) return { bytes, port: 500 };
  // On 4500 half of it with a marker, so that IKE gets its share; the rest is ESP without an SA.
  const marked = Uint8Array.from([...MARKER, ...bytes]);
  return { bytes: random.int(2) === 0 ? marked : bytes, port: 4500 };
}

await main();
