import assert from 'node:assert/strict';
import { type IcmpSocketFactory, newIcmpMessageInfo } from '../../../hal/icmp-socket.ts';
import type { Contract } from './contract.ts';

export interface IcmpWorld {
  readonly sockets: IcmpSocketFactory;
  /** Of this machine, which answers itself. */
  readonly own: { readonly 4: string; readonly 6: string };
  /** An address behind a route of {@link ICMP_MTU} octets, where nobody answers. */
  readonly narrow: { readonly 4: string; readonly 6: string };
  /** The device of {@link own}. */
  readonly device: string;
}

export const ICMP_MTU = 1300;

/** Identifier 0x7a7a, sequence number 1. IPv4's checksum is written, IPv6's left to the machine. */
function echoRequest(family: 4 | 6, payload: number): Uint8Array {
  const message = new Uint8Array(8 + payload);
  message.set([family === 4 ? 8 : 128, 0, 0, 0, 0x7a, 0x7a, 0, 1]);
  if (family === 6) return message;
  // All of the payload is zero: three words are summed up.
  const sum = 0x0800 + 0x7a7a + 1;
  new DataView(message.buffer).setUint16(2, ~sum & 0xffff);
  return message;
}

const families = [4, 6] as const;

export const icmpSocketContract: Contract<IcmpWorld> = {
  name: 'icmp-socket',
  cases: families.flatMap((family) => [
    {
      name: `an echo request of IPv${family} is answered, with the address, the hop limit and the age of the answer`,
      run: ({ sockets, own, device }: IcmpWorld) => {
        for (const bound of [{}, { device }, { device, address: own[family] }]) {
          const socket = sockets.open({ family, mark: 0, dontFragment: false, ...bound });
          assert.equal(socket.send(echoRequest(family, 56), own[family], 64), undefined);
          const into = new Uint8Array(2000);
          const info = newIcmpMessageInfo();
          let reply: Uint8Array | undefined;
          while (socket.receive(into, info)) {
            const message = into.slice(info.offset, info.offset + info.length);
            if (message[0] === (family === 4 ? 0 : 129)) reply = message;
          }
          socket.close();
          assert.equal(reply?.length, 64);
          assert.deepEqual([...(reply ?? []).slice(4, 8)], [0x7a, 0x7a, 0, 1]);
          assert.equal(info.remoteAddress, own[family]);
          assert.equal(info.hopLimit, 64);
          assert.ok(info.ageMs >= 0 && info.ageMs < 10_000, `${info.ageMs} ms`);
        }
      },
    },
    {
      name: `from an address that is not of this machine nothing is sent, IPv${family}`,
      run: ({ sockets }: IcmpWorld) => {
        const address = family === 4 ? '203.0.113.77' : '2001:db8::77';
        assert.throws(
          () => sockets.open({ family, mark: 0, dontFragment: false, address }),
          /no address of this machine/,
        );
      },
    },
    {
      name: `what is too large for the path and may not be fragmented is refused with its MTU, IPv${family}`,
      run: ({ sockets, narrow }: IcmpWorld) => {
        const whole = sockets.open({ family, mark: 0, dontFragment: true });
        const headers = family === 4 ? 28 : 48;
        assert.equal(whole.send(echoRequest(family, ICMP_MTU - headers), narrow[family], 64), undefined);
        assert.deepEqual(whole.send(echoRequest(family, ICMP_MTU - headers + 1), narrow[family], 64), {
          code: 'EMSGSIZE',
          mtu: ICMP_MTU,
        });
        whole.close();
        const inParts = sockets.open({ family, mark: 0, dontFragment: false });
        assert.equal(inParts.send(echoRequest(family, 2000), narrow[family], 64), undefined);
        inParts.close();
      },
    },
    {
      name: `an address of the other family is refused, IPv${family}`,
      run: ({ sockets, own }: IcmpWorld) => {
        const socket = sockets.open({ family, mark: 0, dontFragment: false });
        const other = family === 4 ? 6 : 4;
        assert.equal(socket.send(echoRequest(family, 0), own[other], 64)?.code, 'EAFNOSUPPORT');
        socket.close();
      },
    },
    {
      name: `a closed one says so, and so does a device that is not there, IPv${family}`,
      run: ({ sockets, own }: IcmpWorld) => {
        const socket = sockets.open({ family, mark: 0, dontFragment: false });
        socket.close();
        socket.close();
        assert.throws(() => socket.send(echoRequest(family, 0), own[family], 64), { name: 'HalError', code: 'EBADF' });
        assert.throws(() => socket.receive(new Uint8Array(100), newIcmpMessageInfo()), { code: 'EBADF' });
        assert.throws(() => sockets.open({ family, mark: 0, dontFragment: false, device: 'cvnothing' }), {
          name: 'HalError',
          code: 'ENODEV',
          message: /no network device cvnothing/,
        });
      },
    },
  ]),
};
