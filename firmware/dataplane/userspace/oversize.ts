/** What becomes of IP packets from a TUN that are larger than their way takes: fragments, or word to their sender. */
import type { IpPacket } from '../../protocol/esp/ip-packet.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { InterfaceId } from '../data-plane.ts';
import type { ForwarderPorts } from './forwarder-ports.ts';
import { putTooBig, TOO_BIG_ROOM } from './icmp-too-big.ts';
import { dontFragment, Ipv4Fragmenter } from './ipv4-fragments.ts';
import { MIN_PATH_MTU_IPV6 } from './path-mtu.ts';
import type { SessionTable } from './session-table.ts';
import { TokenBucket } from './token-bucket.ts';

/** ICMP errors a second: each TCP connection wants one when its path narrows; a flood deserves no more. */
const ERRORS_PER_SECOND = 100;
const ERRORS_BURST = 100;

export class Oversize {
  readonly #table: SessionTable;
  readonly #ports: ForwarderPorts;
  readonly #fragmenter = new Ipv4Fragmenter();
  readonly #error = new Uint8Array(TOO_BIG_ROOM);
  readonly #errors = new TokenBucket(ERRORS_PER_SECOND, ERRORS_BURST);

  constructor(table: SessionTable, ports: ForwarderPorts) {
    this.#table = table;
    this.#ports = ports;
  }

  /**
   * @param packet in `bytes`, larger than `mtu`, from the TUN `from`.
   * @param emit sends a fragment, which lies in a buffer with room around it.
   * @returns false when the packet was dropped; its sender was told, as far as that is allowed.
   */
  handle(
    from: InterfaceId,
    bytes: Uint8Array,
    packet: IpPacket,
    mtu: number,
    now: Instant,
    emit: (buffer: Uint8Array, at: number, length: number) => void,
  ): boolean {
    if (packet.version === 4 && !dontFragment(bytes, packet.offset)) {
      return this.#fragmenter.cut(bytes, packet, mtu, emit);
    }
    if (!this.#table.sendsErrors(from) || !this.#errors.take(now)) return false;
    // Hosts ignore a smaller one (RFC 8201 section 4).
    const told = packet.version === 6 ? Math.max(mtu, MIN_PATH_MTU_IPV6) : mtu;
    const length = putTooBig(this.#error, bytes, packet, told);
    if (length > 0) this.#ports.deliver(from, this.#error.subarray(0, length));
    return false;
  }
}
