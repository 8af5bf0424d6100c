/** One ping or traceroute at work: the hands of its machine. */
import type { Clock, Timer } from '../../../hal/clock.ts';
import { type IcmpSocket, newIcmpMessageInfo } from '../../../hal/icmp-socket.ts';
import { MOST_ECHO_DATA } from '../../protocol/icmp/icmp-message.ts';
import type { Machine } from '../../protocol/machine.ts';
import { MachineRunner } from '../../vpn/machine-runner.ts';
import type { ReachOutput } from './ping-machine.ts';

/** How often the socket is looked into, ms: the kernel tells how long ago a message came. */
const TURN_MS = 10;

/** Messages that one turn takes, so that a flood does not hold the control thread up. */
const MOST_IN_A_TURN = 128;

/** The largest message with its IP header, octets, and somewhat more. */
const BUFFER = MOST_ECHO_DATA + 128;

/** What the machines of both have in common. */
export interface ReachMachine<Event> extends Machine<ReachOutput<Event>> {
  received(now: number, at: number, from: string, hopLimit: number, bytes: Uint8Array): void;
  left(at: number, sequence: number): void;
  finish(now: number): void;
  refused(now: number, sequence: number, refusal: { readonly code: string; readonly mtu: number }): void;
}

export interface ReachRunParts<Event> {
  readonly socket: IcmpSocket;
  readonly address: string;
  readonly machine: ReachMachine<Event>;
  readonly clock: Clock;
  readonly tell: (event: Event) => void;
  /** Once, behind the last event or after {@link ReachRun.stop}. @param fault what the program did wrong, if it did. */
  readonly onEnd: (fault?: unknown) => void;
}

export class ReachRun<Event extends { readonly kind: string }> {
  readonly #parts: ReachRunParts<Event>;
  readonly #runner: MachineRunner<ReachOutput<Event>>;
  readonly #into = new Uint8Array(BUFFER);
  readonly #info = newIcmpMessageInfo();
  #turn: Timer | undefined;
  #ended = false;

  constructor(parts: ReachRunParts<Event>) {
    this.#parts = parts;
    const handle = (output: ReachOutput<Event>) => this.#handle(output);
    this.#runner = new MachineRunner(parts.machine, parts.clock, handle, (fault) => this.#end(fault));
    this.#runner.run((now) => parts.machine.tick(now));
    this.#arm();
  }

  /** Ends it as it should end: what it comes to up to here is told. */
  stop(): void {
    this.#runner.run((now) => this.#parts.machine.finish(now));
  }

  /** Nobody is there any more who would be told. Harmless when repeated. */
  abandon(): void {
    this.#end();
  }

  #handle(output: ReachOutput<Event>): void {
    if (this.#ended) return;
    const { socket, address, machine, tell } = this.#parts;
    if (output.kind === 'tell') {
      tell(output.event);
      if (output.event.kind === 'end') this.#end();
      return;
    }
    // Not when the machine wanted it: what this program does in between is no way of the packet.
    machine.left(this.#parts.clock.now(), output.sequence);
    const refusal = socket.send(output.message, address, output.hopLimit);
    if (refusal !== undefined) this.#runner.run((now) => machine.refused(now, output.sequence, refusal));
  }

  #arm(): void {
    if (this.#ended) return;
    const { clock } = this.#parts;
    this.#turn = clock.setTimer(clock.now() + TURN_MS, () => {
      this.#take();
      this.#arm();
    });
  }

  #take(): void {
    const { socket, machine } = this.#parts;
    for (let count = 0; count < MOST_IN_A_TURN && !this.#ended; count += 1) {
      if (!socket.receive(this.#into, this.#info)) return;
      const { offset, length, remoteAddress, hopLimit, ageMs } = this.#info;
      const bytes = this.#into.subarray(offset, offset + length);
      this.#runner.run((now) => machine.received(now, now - ageMs, remoteAddress, hopLimit, bytes));
    }
  }

  #end(fault?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#turn?.cancel();
    this.#runner.stop();
    this.#parts.socket.close();
    this.#parts.onEnd(fault);
  }
}
