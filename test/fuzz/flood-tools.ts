/** What the programs that flood a part of the router have in common. Run with --expose-gc. */
import { createSocket, type Socket } from 'node:dgram';
import type { SeededRandom } from '../support/seeded-random.ts';

const BATCH = 1000;
/** Addresses of loopback from which strangers come. */
const SOURCES = 40;

/** heapUsed + external after collection, octets. */
export function memoryInUse(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export interface Junk {
  readonly bytes: Uint8Array;
  /** UDP port on 127.0.0.1. */
  readonly port: number;
}

/** Many strangers on loopback. */
export class Strangers {
  readonly #sockets: readonly Socket[];
  readonly #received: () => Promise<number>;
  #sent = 0;
  /** What came back. */
  answers = 0;
  answeredOctets = 0;
  sentOctets = 0;

  private constructor(sockets: readonly Socket[], received: () => Promise<number>) {
    this.#sockets = sockets;
    this.#received = received;
    for (const socket of sockets) {
      socket.on('message', (bytes) => {
        this.answers += 1;
        this.answeredOctets += bytes.length;
      });
    }
  }

  /** @param received how many datagrams have arrived in the program so far, by whatever way they then went. */
  static async gather(received: () => Promise<number>): Promise<Strangers> {
    const addresses = Array.from({ length: SOURCES }, (_, index) => `127.0.1.${index + 1}`);
    return new Strangers(await Promise.all(addresses.map(openSocket)), received);
  }

  /** Sends batches until `wanted` have been received: one that is lost in a socket buffer tests nothing. */
  async flood(wanted: number, junk: (index: number) => Junk, look: () => void = () => undefined): Promise<number> {
    const before = await this.#received();
    for (let got = 0; got < wanted; got = (await this.#received()) - before) {
      const waits: Promise<void>[] = [];
      for (let index = 0; index < BATCH; index += 1) {
        const socket = this.#sockets[this.#sent % SOURCES];
        const { bytes, port } = junk(this.#sent);
        if (socket) waits.push(send(socket, bytes, port));
        this.#sent += 1;
        this.sentOctets += bytes.length;
      }
      await Promise.all(waits);
      look();
    }
    return (await this.#received()) - before;
  }

  forgetAnswers(): void {
    this.answers = 0;
    this.answeredOctets = 0;
    this.sentOctets = 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

/** Half of them random, half a valid message with octets changed: those get deeper. */
export function randomDatagram(random: SeededRandom, index: number, valid: Uint8Array): Uint8Array {
  if (index % 2 === 0) return random.bytes(random.int(1400));
  const broken = Uint8Array.from(valid);
  for (let change = 0; change < 1 + random.int(6); change += 1) broken[random.int(broken.length)] = random.int(256);
  return random.int(4) === 0 ? broken.subarray(0, random.int(broken.length)) : broken;
}

async function openSocket(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind(0, address, resolve);
  await promise;
  return socket;
}

function send(socket: Socket, bytes: Uint8Array, port: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.send(bytes, port, '127.0.0.1', () => resolve());
  return promise;
}
