/** Serial lines: a UART, a USB serial converter, the USB gadget of this board, or a pseudo-terminal. */

export interface SerialPortOptions {
  /** Path of the device: `/dev/ttyGS0`, `/dev/ttyUSB0`. */
  readonly path: string;
  /** Bits per second, 50..4000000; a USB gadget and a pseudo-terminal take any and mean none. 8 data bits, no parity, 1 stop bit. */
  readonly baud: number;
}

/** Why a port is not open any more. `lost`: unplugged, or hung up by the other side; the words say what was seen. */
export type SerialPortEnd = { readonly kind: 'closed' } | { readonly kind: 'lost'; readonly reason: string };

/** One open line. It is raw: octets pass as they are, nothing is echoed, and no octet becomes a signal. */
export interface SerialPort {
  /** Called with octets as they come, in order, never within a call of this port. They are the listener's. */
  onOctets: ((octets: Uint8Array) => void) | undefined;
  /** Resolves once, when the port is closed or lost; nothing comes in afterwards. */
  readonly ended: Promise<SerialPortEnd>;
  /**
   * Reads nothing until {@link resume}: what comes stays with the driver, whose flow control then holds the other side. Called from
   * within {@link onOctets}, not one octet more is read.
   */
  pause(): void;
  resume(): void;
  /**
   * Pauses, and gives the open descriptor to somebody else (the data plane), who reads and writes it without waiting. When the line is
   * lost meanwhile, {@link ended} resolves, and the descriptor stays open all the same until it was taken back.
   * @throws HalError when the line is closed or lost.
   */
  lend(): number;
  /** The other one uses the descriptor no more; reads again. Harmless when it was not lent. */
  takeBack(): void;
  /**
   * Returns when the driver has taken all of it, which may be never while the other side takes nothing: whoever writes faster
   * waits. One at a time. @throws HalError when the port is closed or lost meanwhile.
   */
  write(octets: Uint8Array): Promise<void>;
  /** Harmless when it is closed or lost. A write that waits fails. A descriptor that was lent is taken back by it. */
  close(): Promise<void>;
}

export interface SerialPorts {
  /**
   * Opens a line for this process alone; it never becomes the controlling terminal of the process. What was waiting there is
   * thrown away. @throws HalError: no such device, no permission, in use by another program, not a serial line.
   */
  open(options: SerialPortOptions): Promise<SerialPort>;
}
