import { type Duplex, duplexPair } from 'node:stream';
import { HalError } from '../hal-error.ts';
import { parseIpAddress } from '../ip-address.ts';
import type { TcpConnector, TcpConnectorOptions } from '../tcp-connector.ts';

/** Servers and connections in memory. */
export class SimulatedTcpConnector implements TcpConnector {
  readonly #servers = new Map<string, (stream: Duplex) => void>();
  /** What was asked for, in order. */
  readonly asked: TcpConnectorOptions[] = [];

  /** @param onConnection gets the far end of each connection. @returns what ends it. */
  listen(address: string, port: number, onConnection: (stream: Duplex) => void): () => void {
    const key = `${address} ${port}`;
    this.#servers.set(key, onConnection);
    return () => this.#servers.delete(key);
  }

  connect(options: TcpConnectorOptions): Duplex {
    const { address, port } = options;
    if (parseIpAddress(address) === undefined || !Number.isInteger(port) || port < 1 || port > 0xffff) {
      throw new HalError(
        `${JSON.stringify(address)} port ${port} is nothing to connect to: give an address and a port.`,
      );
    }
    this.asked.push(options);
    const [near, far] = duplexPair();
    process.nextTick(() => {
      const server = this.#servers.get(`${address} ${port}`);
      if (server === undefined) {
        near.destroy(Object.assign(new Error(`connect ECONNREFUSED ${address}:${port}`), { code: 'ECONNREFUSED' }));
        return;
      }
      server(far);
      near.emit('connect');
    });
    return near;
  }
}
