/** Pings and traceroutes that run: a few at a time, each with a socket of its own. */
import type { Clock } from '../../hal/clock.ts';
import { HalError } from '../../hal/hal-error.ts';
import type { IcmpSocket, IcmpSocketFactory } from '../../hal/icmp-socket.ts';
import type { ReachResult, RunningHandle } from '../api/router-control.ts';
import { PingMachine } from '../diagnosis/reach/ping-machine.ts';
import type {
  PingEvent,
  PingRequest,
  ReachRequest,
  TracerouteEvent,
  TracerouteRequest,
} from '../diagnosis/reach/reach-event.ts';
import { type ReachMachine, ReachRun } from '../diagnosis/reach/reach-run.ts';
import { TracerouteMachine } from '../diagnosis/reach/traceroute-machine.ts';
import type { RandomSource } from '../protocol/machine.ts';
import { errorText } from '../vpn/steps.ts';
import type { ReachTarget } from './reach-target.ts';

/** Pings and traceroutes at a time: more of them are no diagnosis. */
export const MAX_REACHES = 8;

/** Octets of random data by which an answer is known; they are repeated up to the size of a request. */
const TOKEN = 16;

export interface ReachDeskParts {
  readonly sockets: IcmpSocketFactory;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: (line: string) => void;
}

interface Asked {
  readonly what: 'ping' | 'traceroute';
  readonly request: ReachRequest & { readonly size: number; readonly dontFragment: boolean };
  readonly target: ReachTarget;
}

export class ReachDesk {
  readonly #parts: ReachDeskParts;
  readonly #running = new Map<number, RunningHandle>();
  /** Opened, and not begun yet. */
  #prepared = 0;
  #nextId = 1;

  constructor(parts: ReachDeskParts) {
    this.#parts = parts;
  }

  get running(): number {
    return this.#running.size + this.#prepared;
  }

  ping(request: PingRequest, target: ReachTarget): ReachResult<PingEvent> {
    const { count, interval } = request;
    return this.#prepare({ what: 'ping', request, target }, (identifier, data) => {
      return new PingMachine({ family: target.family, identifier, count, interval, data }, this.#parts.clock.now());
    });
  }

  traceroute(request: TracerouteRequest, target: ReachTarget): ReachResult<TracerouteEvent> {
    const { hops } = request;
    return this.#prepare({ what: 'traceroute', request, target }, (identifier, data) => {
      return new TracerouteMachine({ family: target.family, identifier, hops, data }, this.#parts.clock.now());
    });
  }

  /** Ends one as it should end. @returns false when none has that number, or none any more. */
  stop(id: number): boolean {
    const run = this.#running.get(id);
    run?.stop();
    return run !== undefined;
  }

  stopAll(): void {
    for (const run of [...this.#running.values()]) run.stop();
  }

  /** Opens the socket, so that whoever asked can be told at once why it does not work. */
  #prepare<Event extends { readonly kind: string }>(
    { what, request, target }: Asked,
    make: (identifier: number, data: Uint8Array) => ReachMachine<Event>,
  ): ReachResult<Event> {
    if (this.running >= MAX_REACHES) {
      const reason = `${MAX_REACHES} pings and traceroutes run already`;
      return { ok: false, busy: true, reason, remedy: 'wait until one ends, or end one' };
    }
    const { address, family, mark, device } = target;
    const { host, via, size, dontFragment } = request;
    const bound = device === undefined ? {} : { device };
    let socket: IcmpSocket;
    try {
      socket = this.#parts.sockets.open({ family, mark, dontFragment, ...bound });
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      return { ok: false, reason: error.message.replace(/\.$/, ''), remedy: 'mend that, and try again' };
    }
    this.#prepared += 1;
    const id = this.#nextId++;
    const { clock, random, log } = this.#parts;
    const token = random.bytes(TOKEN);
    const data = Uint8Array.from({ length: size }, (_, index) => token[index % TOKEN] ?? 0);
    const [high = 0, low = 0] = random.bytes(2);
    return {
      ok: true,
      id,
      began: { kind: 'began', host, address, family, via, size, ...bound },
      begin: (sink) => {
        this.#prepared -= 1;
        log(`a ${what} of ${address} begins, via ${via}`);
        const run = new ReachRun<Event>({
          socket,
          address,
          clock,
          machine: make((high << 8) | low, data),
          tell: sink.tell,
          onEnd: (fault) => {
            this.#running.delete(id);
            if (fault !== undefined)
              log(`the ${what} of ${address} ended by a mistake of the program: ${errorText(fault)}`);
            sink.end();
          },
        });
        this.#running.set(id, run);
        return run;
      },
    };
  }
}
