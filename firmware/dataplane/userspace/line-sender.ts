/** PPP frames on their way out by a line. */
import type { Instant } from '../../protocol/machine.ts';
import type { ForwarderPorts } from './forwarder-ports.ts';
import type { LineSession } from './line-session.ts';
import type { PppWay } from './ppp-path.ts';
import type { SessionNetwork } from './ppp-session.ts';

export class LineSender implements PppWay<LineSession> {
  readonly #ports: ForwarderPorts;

  constructor(ports: ForwarderPorts) {
    this.#ports = ports;
  }

  send(
    session: LineSession,
    bytes: Uint8Array,
    payload: number,
    end: number,
    _now: Instant,
    _mayFragment: boolean,
    control: boolean,
  ): boolean {
    if (this.#ports.sendByLine(session.line, bytes, payload, end, control)) return true;
    session.drops.sendFailed += 1;
    return false;
  }

  mtu(_session: LineSession, network: SessionNetwork): number {
    return network.mtu;
  }
}
