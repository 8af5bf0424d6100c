import { HalError } from '../hal-error.ts';
import type { IcmpMessageInfo, IcmpRefusal, IcmpSocket, IcmpSocketFactory, IcmpSocketOptions } from '../icmp-socket.ts';
import { isUnspecified, parseIpAddress } from '../ip-address.ts';
import { assertInterfaceName } from '../names.ts';

/** Messages that wait before more are dropped. */
const QUEUE_LENGTH = 256;

export interface SimulatedIcmpSent {
  readonly message: Uint8Array;
  readonly remoteAddress: string;
  readonly hopLimit: number;
  readonly options: IcmpSocketOptions;
}

export interface SimulatedIcmpAnswer {
  readonly message: Uint8Array;
  readonly from: string;
  readonly hopLimit?: number;
  readonly ageMs?: number;
}

/** What the world does with a message: nothing, an answer at once, or a refusal of this machine's own. */
export type SimulatedIcmpWorld = (sent: SimulatedIcmpSent) => SimulatedIcmpAnswer | IcmpRefusal | undefined;

/** ICMP of a simulated machine: a test says what becomes of each message, and what comes unasked. */
export class SimulatedIcmpSocketFactory implements IcmpSocketFactory {
  world: SimulatedIcmpWorld = () => undefined;
  /** Devices that are there; absent: whatever is asked for. */
  devices: ReadonlySet<string> | undefined;
  /** Addresses of this machine; absent: whatever is asked for. */
  addresses: ReadonlySet<string> | undefined;
  readonly sent: SimulatedIcmpSent[] = [];
  readonly #open = new Set<SimulatedIcmpSocket>();

  open(options: IcmpSocketOptions): IcmpSocket {
    if (options.device !== undefined) {
      assertInterfaceName(options.device);
      if (this.devices?.has(options.device) === false)
        throw new HalError(`There is no network device ${options.device} to send by.`, 'ENODEV');
    }
    if (options.address !== undefined && this.addresses?.has(options.address) === false)
      throw new HalError(`${options.address} is no address of this machine to send from.`, 'EADDRNOTAVAIL');
    const socket: SimulatedIcmpSocket = new SimulatedIcmpSocket(options, {
      send: (sent) => {
        this.sent.push(sent);
        return this.world(sent);
      },
      closed: () => this.#open.delete(socket),
    });
    this.#open.add(socket);
    return socket;
  }

  /** Sockets that are open. */
  get running(): number {
    return this.#open.size;
  }

  /** A message comes to this machine: every socket of the family has it. */
  arrive(family: 4 | 6, answer: SimulatedIcmpAnswer): void {
    for (const socket of this.#open) if (socket.family === family) socket.arrive(answer);
  }
}

interface Host {
  readonly send: SimulatedIcmpWorld;
  readonly closed: () => void;
}

class SimulatedIcmpSocket implements IcmpSocket {
  readonly family: 4 | 6;
  readonly #options: IcmpSocketOptions;
  readonly #host: Host;
  readonly #waiting: SimulatedIcmpAnswer[] = [];
  #closed = false;

  constructor(options: IcmpSocketOptions, host: Host) {
    this.#options = options;
    this.#host = host;
    this.family = options.family;
  }

  receive(into: Uint8Array, info: IcmpMessageInfo): boolean {
    this.#assertOpen();
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    const { message, from, hopLimit = 64, ageMs = 0 } = next;
    const kept = message.subarray(0, into.length);
    into.set(kept);
    Object.assign(info, { offset: 0, length: kept.length, remoteAddress: from, hopLimit, ageMs });
    return true;
  }

  send(message: Uint8Array, remoteAddress: string, hopLimit: number): IcmpRefusal | undefined {
    this.#assertOpen();
    const octets = parseIpAddress(remoteAddress);
    if (octets?.length !== (this.family === 4 ? 4 : 16) || isUnspecified(remoteAddress))
      return { code: 'EAFNOSUPPORT', mtu: 0 };
    const result = this.#host.send({ message: message.slice(), remoteAddress, hopLimit, options: this.#options });
    if (result === undefined) return undefined;
    if ('code' in result) return result;
    this.arrive(result);
    return undefined;
  }

  arrive(answer: SimulatedIcmpAnswer): void {
    if (this.#waiting.length < QUEUE_LENGTH) this.#waiting.push(answer);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.closed();
  }

  #assertOpen(): void {
    if (this.#closed) throw new HalError('The ICMP socket is closed.', 'EBADF');
  }
}
