/** A way to one address of a syslog server: the hands of {@link ./syslog-sender-machine.ts}, for one of its connections. */
import type { Duplex } from 'node:stream';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { TcpConnector } from '../../hal/tcp-connector.ts';
import type { SocketId } from '../dataplane/data-plane.ts';
import { isIpAddress } from '../protocol/ip-address.ts';
import type { Failure } from '../protocol/machine.ts';
import { octetCounted } from '../protocol/syslog/octet-counting.ts';
import type { UdpEndpoint } from '../protocol/udp-path.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { connectionFailure } from './connection-failure.ts';

export interface SyslogWay {
  send(message: Uint8Array): void;
  /** Ends it; nothing is told of it any more. @param atOnce what was not written yet is given up. */
  close(atOnce: boolean): void;
}

export interface WayEvents {
  readonly connected: () => void;
  /** Of a stream: the oldest message that was not written yet. */
  readonly written: () => void;
  /** At most once. */
  readonly failed: (failure: Failure) => void;
}

export interface WayTarget extends UdpEndpoint {
  /** SO_MARK. */
  readonly mark: number;
}

/** Whom a server of TLS has to be. */
export interface TlsIdentity {
  /** A name or an address. */
  readonly name: string;
  readonly context: SecureContext;
}

/** UDP, by a socket of the data plane, as all outer sockets are. */
export class DatagramWay implements SyslogWay {
  readonly #target: WayTarget;
  readonly #dispatch: DataPlaneDispatch;
  readonly #events: WayEvents;
  readonly #socket: Promise<SocketId | undefined>;
  #closed = false;

  constructor(target: WayTarget, dispatch: DataPlaneDispatch, events: WayEvents) {
    this.#target = target;
    this.#dispatch = dispatch;
    this.#events = events;
    this.#socket = this.#open();
  }

  send(message: Uint8Array): void {
    const { address, port } = this.#target;
    const path = { remote: { address, port }, local: { address: this.#unspecified, port: 0 } };
    this.#socket
      .then((socket) => {
        if (socket !== undefined) this.#dispatch.dataPlane.sendDatagram(socket, path, message);
      })
      .catch((error: unknown) => this.#fail(connectionFailure('send', error)));
  }

  close(): void {
    this.#closed = true;
    void this.#socket.then(async (socket) => {
      if (socket === undefined) return;
      this.#dispatch.disownSocket(socket);
      // Behind what was sent. An engine that is gone has closed it.
      await this.#dispatch.dataPlane.closeSocket(socket).catch(() => undefined);
    });
  }

  get #unspecified(): string {
    return this.#target.address.includes(':') ? '::' : '0.0.0.0';
  }

  async #open(): Promise<SocketId | undefined> {
    const { dataPlane } = this.#dispatch;
    const { address, mark } = this.#target;
    const id = this.#dispatch.nextId();
    const family = address.includes(':') ? 6 : 4;
    try {
      await dataPlane.openSocket({ id, purpose: 'datagram', family, address: this.#unspecified, port: 0, mark });
    } catch (error) {
      this.#fail(connectionFailure('connect', error));
      return undefined;
    }
    // What comes back is nothing of ours: syslog has no answers.
    this.#dispatch.ownSocket(id, (event) => {
      if (event.kind === 'path-error') this.#fail(connectionFailure('send', { code: event.code, message: event.code }));
    });
    if (!this.#closed) this.#events.connected();
    return id;
  }

  #fail(failure: Failure): void {
    if (this.#closed) return;
    this.#events.failed(failure);
  }
}

/** TCP, or TLS over it. */
export class StreamWay implements SyslogWay {
  readonly #events: WayEvents;
  readonly #tcp: Duplex;
  readonly #tls: TlsIdentity | undefined;
  /** What is written to, once there is a connection. */
  #stream: Duplex | undefined;
  #step = 'connect';
  #closed = false;

  /** @throws HalError */
  constructor(target: WayTarget, connector: TcpConnector, tls: TlsIdentity | undefined, events: WayEvents) {
    this.#events = events;
    this.#tls = tls;
    const { address, port, mark } = target;
    this.#tcp = connector.connect({ address, port, mark });
    this.#watch(this.#tcp);
    this.#tcp.once('connect', () => this.#connected());
  }

  send(message: Uint8Array): void {
    this.#stream?.write(octetCounted(message), (error) => {
      if (!error && !this.#closed) this.#events.written();
    });
  }

  close(atOnce: boolean): void {
    this.#closed = true;
    const stream = this.#stream;
    if (atOnce || stream === undefined) this.#destroy();
    else stream.end(() => this.#destroy());
  }

  #connected(): void {
    if (this.#closed) return;
    if (this.#tls === undefined) {
      this.#ready(this.#tcp);
      return;
    }
    this.#step = 'TLS';
    try {
      this.#secure(this.#tls);
    } catch (error) {
      this.#fail(connectionFailure(this.#step, error));
    }
  }

  #secure({ name, context }: TlsIdentity): void {
    const tls = connectTls({
      socket: this.#tcp,
      host: name,
      secureContext: context,
      ...(isIpAddress(name) ? {} : { servername: name }),
    });
    this.#watch(tls);
    tls.once('secureConnect', () => this.#ready(tls));
    this.#stream = tls;
  }

  #ready(stream: Duplex): void {
    this.#stream = stream;
    this.#step = 'send';
    // Nothing that it says means anything, but that it ends.
    stream.resume();
    if (!this.#closed) this.#events.connected();
  }

  #watch(stream: Duplex): void {
    stream.on('error', (error) => this.#fail(connectionFailure(this.#step, error)));
    for (const end of ['end', 'close']) {
      stream.on(end, () => this.#fail(connectionFailure(this.#step, { code: 'ECONNRESET' })));
    }
  }

  #fail(failure: Failure): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#destroy();
    this.#events.failed(failure);
  }

  #destroy(): void {
    this.#stream?.destroy();
    this.#tcp.destroy();
  }
}
