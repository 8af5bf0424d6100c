/** What only a kernel shows of {@link LinuxTcpConnector}. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Contract } from '../contract/contract.ts';
import { ip } from '../contract/linux-worlds.ts';
import type { TcpWorld } from '../contract/tcp-connector.ts';

const MARK = 0x1234;

export const linuxTcpCases: Contract<TcpWorld> = {
  name: 'a connector of TCP on Linux',
  cases: [
    {
      name: 'sends every packet with its mark, those of the handshake too',
      run: async ({ connector, addresses, listen }) => {
        // Packets with the mark have no route; the others do. The rule of local addresses is the first one otherwise.
        ip(`rule add pref 5 fwmark ${MARK} unreachable`);
        ip('rule add pref 10 lookup local');
        ip('rule del pref 0');
        const port = await listen(addresses[4], (stream) => stream.resume());
        const marked = connector.connect({ address: addresses[4], port, mark: MARK });
        const [error] = await once(marked, 'error').catch((thrown: unknown) => [thrown]);
        assert.match(String((error as { code?: unknown }).code), /^(EHOSTUNREACH|ENETUNREACH)$/);
        const plain = connector.connect({ address: addresses[4], port, mark: 0 });
        await once(plain, 'connect');
        plain.destroy();
        ip('rule add pref 0 lookup local');
        ip('rule del pref 10');
        ip('rule del pref 5');
      },
    },
    {
      name: 'leaves from the address and by the device that it was told, and says so where it has neither',
      run: async ({ connector, addresses, listen }) => {
        const port = await listen(addresses[4], (stream) => stream.resume());
        const options = { address: addresses[4], port, mark: 0 };
        const stream = connector.connect({ ...options, device: 'lo', localAddress: '127.0.0.9' });
        await once(stream, 'connect');
        assert.equal((stream as Socket).localAddress, '127.0.0.9');
        stream.destroy();
        assert.throws(
          () => connector.connect({ ...options, localAddress: '203.0.113.77' }),
          /does not have that address/,
        );
        assert.throws(() => connector.connect({ ...options, device: 'nothere0' }), /There is no such device/);
      },
    },
    {
      name: 'finds a peer that vanishes: it asks when there is silence, and does not wait long for what was sent',
      run: async ({ connector, addresses, listen }) => {
        const port = await listen(addresses[4], (stream) => stream.resume());
        const stream = connector.connect({ address: addresses[4], port, mark: 0 });
        await once(stream, 'connect');
        const sockets = execFileSync('ss', ['-Htno', 'state', 'established', `( dport = :${port} )`], {
          encoding: 'utf8',
        });
        assert.match(sockets, /timer:\(keepalive,(2\d|30)/);
        stream.destroy();
      },
    },
  ],
};
