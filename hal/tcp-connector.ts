/** TCP connections to servers that are outside the tunnels: for the control plane's own business, never for user packets. */
import type { Duplex } from 'node:stream';

export interface TcpConnectorOptions {
  /** An IP address. */
  readonly address: string;
  /** 1..65535. */
  readonly port: number;
  /** SO_MARK, 0: none. */
  readonly mark: number;
  /** SO_BINDTODEVICE. */
  readonly device?: string;
  /** Leave from this address of ours, by which the routes of a source are chosen. Absent: the machine chooses. */
  readonly localAddress?: string;
}

export interface TcpConnector {
  /**
   * Begins to connect. The stream emits `connect`, or `error` with an errno name as its `code`, and `close` at the end of either.
   * A peer that takes nothing any more is found within a minute, and little is lost with it: few octets wait in the kernel.
   * @throws HalError when there can be no such socket: no address, capability missing, too many files.
   */
  connect(options: TcpConnectorOptions): Duplex;
}
