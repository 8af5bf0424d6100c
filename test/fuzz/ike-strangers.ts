/** Two endpoints that try to meet while a stranger hands either of them what he makes of each message before it comes. */
import type { IkeConnection } from '../../firmware/protocol/ike/ike-types.ts';
import { IkeV1Endpoint } from '../../firmware/protocol/ike/v1/endpoint.ts';
import { IkeV2Endpoint } from '../../firmware/protocol/ike/v2/endpoint.ts';
import type { UdpPath } from '../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { fragmentV1, mutated, noise } from './ike-mutations.ts';

const HOME = '192.0.2.1';
const OFFICE = '192.0.2.2';
/** What the stranger sends before each true message. */
const ATTEMPTS = 60;
/** Between two meetings, ms: what was half-open is given up. */
const PAUSE_MS = 40_000;

type Endpoint = IkeV1Endpoint | IkeV2Endpoint;

export interface StrangerReport {
  readonly inputs: number;
  readonly meetings: number;
  readonly established: number;
  /** Most IKE SAs and exchanges that one of them held at a time. */
  readonly mostHeld: number;
  readonly counters: readonly Readonly<Record<string, number>>[];
}

export class Strangers {
  readonly #version: 1 | 2;
  readonly #random: SeededRandom;
  readonly #caller: Endpoint;
  readonly #called: Endpoint;
  #now = 1_000_000;
  #inputs = 0;
  #meetings = 0;
  #established = 0;
  #mostHeld = 0;

  /** @param overlay laid over the connection of the caller, and @param called over that of the other end. */
  constructor(version: 1 | 2, seed: number, overlay: Partial<IkeConnection> = {}, called = overlay) {
    this.#version = version;
    this.#random = new SeededRandom(seed);
    this.#caller = this.#endpoint('office', OFFICE, seed + 1, overlay);
    this.#called = this.#endpoint('anybody', 'any', seed + 2, called);
  }

  #endpoint(name: string, remote: string, seed: number, overlay: Partial<IkeConnection>): Endpoint {
    const v1 = { encryption: 'aes128', integrity: 'sha256', prf: 'sha256', group: 'ecp256' };
    const v2 = { encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' };
    const connection: IkeConnection = {
      name,
      version: this.#version,
      remote,
      authentication: { kind: 'psk', key: new TextEncoder().encode('only the two of them know') },
      mode: 'transport',
      transportPorts: { protocol: 17, local: 1701, remote: remote === 'any' ? 0 : 1701 },
      ikeProposals: this.#version === 1 ? [v1] : [v2],
      espProposals: [{ encryption: 'aes128', integrity: 'sha1', esn: false }],
      ...overlay,
    };
    const random = new SeededRandom(seed);
    const connections = [connection];
    // Messages in small pieces: fragments are what strangers like most.
    if (this.#version === 2) return new IkeV2Endpoint({ connections, limits: { fragmentOctets: 160 } }, random);
    return new IkeV1Endpoint({ connections }, random);
  }

  /** So many inputs of the stranger's, and the meetings that they disturb. */
  run(inputs: number): StrangerReport {
    const end = this.#inputs + inputs;
    while (this.#inputs < end) this.#meet();
    return {
      inputs: this.#inputs,
      meetings: this.#meetings,
      established: this.#established,
      mostHeld: this.#mostHeld,
      counters: [this.#caller, this.#called].map(({ counters }) => ({ ...counters })),
    };
  }

  #meet(): void {
    this.#meetings += 1;
    // The first messages are left in peace, so that there are later ones to be disturbed.
    const firstTurn = this.#random.int(this.#version === 1 ? 9 : 4);
    const path: UdpPath = { local: { address: HOME, port: 500 }, remote: { address: OFFICE, port: 500 } };
    this.#caller.initiate(this.#now, 'office', path);
    let toCalled = true;
    let messages = this.#sent(this.#caller);
    for (let turn = 0; turn < 12 && messages.length > 0; turn += 1) {
      const target = toCalled ? this.#called : this.#caller;
      for (const [message, sent] of messages) {
        const seen = { local: sent.remote, remote: sent.local };
        if (turn >= firstTurn) this.#disturb(target, message, seen);
        target.receive(this.#now, message, seen);
      }
      this.#now += 10;
      messages = this.#sent(target);
      toCalled = !toCalled;
      if (messages.length > 0) continue;
      // The stranger got what was meant for the other end: that is said again.
      this.#now += 1000;
      for (const endpoint of [this.#called, this.#caller]) {
        endpoint.tick(this.#now);
        const again = this.#sent(endpoint);
        if (again.length === 0) continue;
        messages = again;
        toCalled = endpoint === this.#caller;
      }
    }
    this.#part();
  }

  #disturb(target: Endpoint, message: Uint8Array, seen: UdpPath): void {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const what = this.#random.int(12);
      const octets =
        what === 0
          ? noise(this.#random, this.#version)
          : what === 1 && this.#version === 1
            ? fragmentV1(this.#random, this.#random.int(2) === 0 ? message : mutated(this.#random, message))
            : mutated(this.#random, message);
      const elsewhere = { ...seen, remote: { address: `203.0.113.${this.#random.int(256)}`, port: 500 } };
      target.receive(this.#now, octets, this.#random.int(4) === 0 ? elsewhere : seen);
      this.#inputs += 1;
      // What is sent to the stranger does not matter.
      if (attempt % 8 === 0) this.#drain(target);
    }
    this.#drain(target);
    this.#mostHeld = Math.max(this.#mostHeld, target.views(this.#now).length);
  }

  /** What is sent, first of all to the true peer. */
  #sent(endpoint: Endpoint): readonly (readonly [Uint8Array, UdpPath])[] {
    const sent: [Uint8Array, UdpPath][] = [];
    for (let output = endpoint.poll(); output !== undefined; output = endpoint.poll()) {
      if (output.kind === 'send') sent.push([output.datagram, output.path]);
      if (output.kind === 'child-up') this.#established += 1;
    }
    return sent;
  }

  #drain(endpoint: Endpoint): void {
    while (endpoint.poll() !== undefined);
  }

  #part(): void {
    const both = [this.#caller, this.#called];
    for (const endpoint of both) endpoint.shutdown(this.#now);
    for (let step = 0; step < 8; step += 1) {
      this.#now += PAUSE_MS / 8;
      for (const endpoint of both) {
        endpoint.tick(this.#now);
        this.#drain(endpoint);
      }
    }
  }
}
