/**
 * The user-space engine in the caller's thread: for a simulated machine, where one thread plays everything and time is
 * handed in. On a real machine `userspace-data-plane.ts` is right: there the engine must not wait for anybody.
 */

import type { EthernetSocketFactory } from '../../../hal/ethernet-socket.ts';
import type { Links } from '../../../hal/links.ts';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import type { OctetLineFactory } from '../../../hal/octet-line.ts';
import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import type { Poller } from '../../../hal/poller.ts';
import { PortablePacketCipherFactory } from '../../../hal/portable/packet-cipher.ts';
import type { TunFactory } from '../../../hal/tun.ts';
import type { UdpSocketFactory } from '../../../hal/udp-socket.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import { UserspaceEngine } from './engine.ts';
import { EngineClient } from './engine-client.ts';
import type { EngineCommand, EngineMessage } from './engine-messages.ts';

export interface LocalDataPlaneOptions {
  readonly links: Links;
  readonly tuns: TunFactory;
  readonly sockets: UdpSocketFactory;
  /** Absent: no PPPoE. */
  readonly ethernet?: EthernetSocketFactory;
  /** Absent: no serial lines. */
  readonly octetLines?: OctetLineFactory;
  /** Used by this data plane alone, and closed by it. */
  readonly poller: Poller;
  readonly now: () => Instant;
  /** Default: node:crypto. */
  readonly ciphers?: PacketCipherFactory;
  /** For the IVs of CBC. Default: the machine's own. */
  readonly random?: RandomSource;
}

export class LocalDataPlane extends EngineClient {
  readonly #poller: Poller;
  readonly #engine: UserspaceEngine;
  readonly #outbox: EngineMessage[] = [];
  #deliveryPlanned = false;
  #acknowledged = 0;
  #closed = false;

  constructor(options: LocalDataPlaneOptions) {
    super(options.links);
    this.#poller = options.poller;
    this.#engine = new UserspaceEngine({
      ...options,
      ciphers: options.ciphers ?? new PortablePacketCipherFactory(),
      random: options.random ?? new LinuxEntropy(),
      acknowledged: () => this.#acknowledged,
      emit: (message) => this.#emit(message),
    });
  }

  async start(): Promise<void> {}

  /** Moves the packets that are waiting now; never blocks. @returns whether there were any: then call again. */
  step(): boolean {
    if (this.#closed) return false;
    let moved = false;
    try {
      moved = this.#engine.step(0);
    } catch (error) {
      this.#engine.close();
      this.fail(error instanceof Error ? error.message : String(error));
    }
    this.#deliver();
    return moved;
  }

  /** When {@link step} has something to do although no packet waits. */
  nextDeadline(): Instant | undefined {
    return this.#engine.nextDeadline();
  }

  protected post(command: EngineCommand): void {
    this.#engine.execute(command);
  }

  protected acknowledge(): void {
    this.#acknowledged = (this.#acknowledged + 1) >>> 0;
  }

  protected async shutDown(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.close();
    this.#poller.close();
  }

  /** Answers and events come in a microtask at the earliest: never inside the call that caused them. */
  #emit(message: EngineMessage): void {
    this.#outbox.push(message);
    if (this.#deliveryPlanned) return;
    this.#deliveryPlanned = true;
    queueMicrotask(() => {
      this.#deliveryPlanned = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (;;) {
      const message = this.#outbox.shift();
      if (message === undefined) return;
      this.receive(message);
    }
  }
}
