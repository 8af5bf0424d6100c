import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { HalError } from '../../../hal/hal-error.ts';
import type { TcpConnector } from '../../../hal/tcp-connector.ts';
import type { Contract } from './contract.ts';

export interface TcpWorld {
  readonly connector: TcpConnector;
  /** An address of the host, of each family. */
  readonly addresses: Readonly<Record<4 | 6, string>>;
  /** A server on any port of the address. @returns its port. */
  listen(address: string, onConnection: (stream: Duplex) => void): Promise<number>;
}

/** A port that nothing listens on: discard. */
const CLOSED_PORT = 9;

/** All that comes until the other side ends. */
async function whole(stream: Duplex): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

export const tcpConnectorContract: Contract<TcpWorld> = {
  name: 'a connector of TCP',
  cases: [
    ...([4, 6] as const).map((family) => ({
      name: `carries octets both ways over IPv${family}, and the end`,
      run: async ({ connector, addresses, listen }: TcpWorld) => {
        const heard = Promise.withResolvers<string>();
        const port = await listen(addresses[family], (stream) => {
          stream.write('welcome');
          void whole(stream).then((text) => {
            stream.end();
            heard.resolve(text);
          });
        });
        const stream = connector.connect({ address: addresses[family], port, mark: 0 });
        await once(stream, 'connect');
        stream.end('hello');
        assert.equal(await whole(stream), 'welcome');
        assert.equal(await heard.promise, 'hello');
      },
    })),
    {
      name: 'says ECONNREFUSED where nothing listens, and closes',
      run: async ({ connector, addresses }) => {
        const stream = connector.connect({ address: addresses[4], port: CLOSED_PORT, mark: 0 });
        const closed = once(stream, 'close').catch(() => undefined);
        const [error] = await once(stream, 'error').catch((thrown: unknown) => [thrown]);
        assert.equal((error as { code?: unknown }).code, 'ECONNREFUSED');
        await closed;
        assert.equal(stream.destroyed, true);
      },
    },
    {
      name: 'ends when it is destroyed, at the other side, too',
      run: async ({ connector, addresses, listen }) => {
        const ended = Promise.withResolvers<void>();
        const port = await listen(addresses[4], (stream) => {
          stream.on('error', () => undefined);
          stream.on('close', () => ended.resolve());
          stream.on('end', () => stream.destroy());
          stream.resume();
        });
        const stream = connector.connect({ address: addresses[4], port, mark: 0 });
        await once(stream, 'connect');
        stream.destroy();
        await ended.promise;
      },
    },
    {
      name: 'refuses what is no address or no port, in words',
      run: ({ connector, addresses }) => {
        for (const options of [
          { address: 'log.example', port: 514, mark: 0 },
          { address: addresses[4], port: 0, mark: 0 },
          { address: addresses[4], port: 65_536, mark: 0 },
        ]) {
          assert.throws(() => connector.connect(options), HalError);
        }
      },
    },
  ],
};
