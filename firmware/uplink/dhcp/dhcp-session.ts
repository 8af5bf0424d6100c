/** One client while the cable is in: gives the machine its sockets, its timer and its file. */
import type { Clock } from '../../../hal/clock.ts';
import type { Entropy } from '../../../hal/entropy.ts';
import {
  BROADCAST_MAC,
  formatMac,
  type PacketSocket,
  type PacketSockets,
  parseMac,
  type ReceivedFrame,
} from '../../../hal/packet-socket.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../protocol/dhcp/arp-packet.ts';
import { DhcpClient } from '../../protocol/dhcp/client.ts';
import { clientIdentifier } from '../../protocol/dhcp/client-identity.ts';
import { STATES } from '../../protocol/dhcp/client-table.ts';
import type { DhcpOutput } from '../../protocol/dhcp/client-types.ts';
import type { Lease } from '../../protocol/dhcp/lease.ts';
import { CLIENT_PORT } from '../../protocol/dhcp/udp-packet.ts';
import type { Failure } from '../../protocol/machine.ts';
import { MachineRunner } from '../../vpn/machine-runner.ts';
import { errorText, internalFailure } from '../../vpn/steps.ts';
import type { LeaseFile } from './lease-file.ts';

export interface DhcpSessionOptions {
  readonly device: string;
  readonly clientId?: string;
  readonly hostName?: string;
  readonly sockets: PacketSockets;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly file: LeaseFile;
  /** Whether a lease fits what is here already. @returns why not; `undefined`: it does. */
  readonly judge: (lease: Lease) => Failure | undefined;
  /** Called with one line. */
  readonly log: (line: string) => void;
  /** Called when {@link DhcpSession.lease}, its failure or what it does may have changed. */
  readonly onChange: () => void;
}

export class DhcpSession {
  /** What stands in the way, until a lease is there. */
  failure: Failure | undefined;
  readonly #options: DhcpSessionOptions;
  readonly #socket: PacketSocket;
  readonly #mac: string;
  readonly #client: DhcpClient;
  readonly #runner: MachineRunner<DhcpOutput>;
  #arp: PacketSocket | undefined;
  #wantsArp = false;
  #earlyArp: Uint8Array | undefined;
  #ended = false;
  #writing: Promise<void> = Promise.resolve();

  /** @throws HalError when there is no socket for it. */
  static async open(options: DhcpSessionOptions): Promise<DhcpSession> {
    const { device, sockets, file } = options;
    const socket = await sockets.open({ device, etherType: ETHERTYPE_IPV4, udpPort: CLIENT_PORT });
    const remembered = await file.read(socket.mac);
    const session = new DhcpSession(options, socket);
    session.#runner.run((now) => session.#client.start(now, remembered));
    return session;
  }

  private constructor(options: DhcpSessionOptions, socket: PacketSocket) {
    const { clock, entropy, judge, hostName, clientId, log, device } = options;
    this.#options = options;
    this.#socket = socket;
    this.#mac = socket.mac;
    const mac = octetsOf(this.#mac);
    this.#client = new DhcpClient({
      mac,
      clientIdentifier: clientIdentifier(mac, clientId),
      ...(hostName === undefined ? {} : { hostName }),
      mtu: socket.mtu,
      random: entropy,
      judge,
    });
    this.#runner = new MachineRunner<DhcpOutput>(
      this.#client,
      clock,
      (output) => this.#do(output),
      (error) => {
        this.failure = internalFailure(error);
        log(`dhcp ${device}: ${this.failure.reason}`);
      },
    );
    socket.onFrame = ({ payload, sourceMac, checksumPending }) =>
      this.#runner.run((now) => this.#client.receive(now, payload, octetsOf(sourceMac), checksumPending));
  }

  get lease(): Lease | undefined {
    return this.#client.lease;
  }

  /** In words; empty when there is nothing to say. */
  get doing(): string {
    return STATES[this.#client.state].doing;
  }

  /** Resolves when there is nothing to listen on any more: the device is gone, or this was ended. */
  get gone(): Promise<unknown> {
    return this.#socket.ended;
  }

  /** An attempt that waits is made at once. */
  hurry(): void {
    if (this.lease === undefined) this.#runner.run((now) => this.#client.start(now));
  }

  /** The cable is out: nothing is given back. */
  async suspend(): Promise<void> {
    this.#runner.run(() => this.#client.suspend());
    await this.#end();
  }

  /** Gives the lease back. */
  async release(): Promise<void> {
    this.#runner.run((now) => this.#client.stop(now));
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#ended = true;
    this.#runner.stop();
    this.#socket.close();
    this.#arp?.close();
    await this.#writing;
  }

  #do(output: DhcpOutput): void {
    const { log, device, onChange } = this.#options;
    switch (output.kind) {
      case 'send':
        this.#tell(this.#socket.send(formatMac(output.destinationMac), output.packet));
        break;
      case 'arp':
        this.#sendArp(output.packet);
        break;
      case 'listen-arp':
        void this.#listenArp(output.on);
        break;
      case 'remember':
        this.#write(() => this.#options.file.write(this.#mac, output.remembered));
        break;
      case 'lease':
        this.failure = undefined;
        log(`dhcp ${device}: ${leaseWords(output.lease)}`);
        onChange();
        break;
      case 'failure':
        this.failure = output.failure;
        log(`dhcp ${device}: ${output.failure.reason}; ${output.failure.remedy}`);
        onChange();
        break;
      case 'lost':
      case 'step':
        onChange();
    }
  }

  /** A frame that cannot be sent is as one that is lost: it is repeated. Why is told while there is no other failure. */
  #tell(refusal: Error | undefined): void {
    if (refusal === undefined) return;
    this.failure ??= { step: 'DHCP', reason: errorText(refusal).replace(/\.$/, ''), remedy: 'it is tried on' };
    this.#options.onChange();
  }

  async #listenArp(on: boolean): Promise<void> {
    this.#wantsArp = on;
    if (!on) {
      this.#arp?.close();
      this.#arp = undefined;
      return;
    }
    const { sockets, device, log } = this.#options;
    try {
      const socket = await sockets.open({ device, etherType: ETHERTYPE_ARP });
      // It may be over meanwhile, or have begun anew.
      if (!this.#wantsArp || this.#ended || this.#arp !== undefined) {
        socket.close();
        return;
      }
      this.#arp = socket;
      socket.onFrame = (frame) => this.#hearArp(frame);
      if (this.#earlyArp !== undefined) this.#sendArp(this.#earlyArp);
      this.#earlyArp = undefined;
    } catch (error) {
      log(`dhcp ${device}: nobody can be asked for the address: ${errorText(error)}`);
    }
  }

  /** The first one comes before its socket is open. */
  #sendArp(packet: Uint8Array): void {
    if (this.#arp === undefined) this.#earlyArp = packet;
    else this.#tell(this.#arp.send(BROADCAST_MAC, packet));
  }

  #hearArp({ payload }: ReceivedFrame): void {
    this.#runner.run((now) => this.#client.receiveArp(now, payload));
  }

  #write(action: () => Promise<void>): void {
    this.#writing = this.#writing.then(action).catch((error: unknown) => {
      this.#options.log(`dhcp ${this.#options.device}: ${errorText(error)}`);
    });
  }
}

function octetsOf(mac: string): Uint8Array {
  return parseMac(mac) ?? new Uint8Array(6);
}

function leaseWords({ address, gateway, server, seconds }: Lease): string {
  const way = gateway === undefined ? 'no gateway' : `gateway ${gateway}`;
  const time = Number.isFinite(seconds) ? `for ${seconds} s` : 'for ever';
  return `${address} ${time} from ${server}, ${way}`;
}
