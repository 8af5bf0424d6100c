/** L2TP and PPP between a client and a server, written as a capture. */
import { ByteWriter, concatBytes } from '../../../../firmware/protocol/bytes.ts';
import { type AvpFields, encodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { ipv4, type PacketToWrite, pcapFile, udp } from '../../../support/capture-builder.ts';

export type End = 'client' | 'server';

const ADDRESS = { client: '10.20.0.9', server: '10.20.0.2' } as const;
const TUNNEL = { client: 17, server: 23 } as const;
const SESSION = { client: 101, server: 202 } as const;
export const PPP = {
  lcp: 0xc021,
  pap: 0xc023,
  chap: 0xc223,
  ipcp: 0x8021,
  ipv6cp: 0x8057,
  ccp: 0x80fd,
  ip: 0x21,
} as const;
export const REQUEST = 1;
export const ACK = 2;
export const NAK = 3;
export const REJECT = 4;
export const TERMINATE = 5;
export const PROTOCOL_REJECT = 8;
export const ECHO = 9;

const SCCRQ: AvpFields = {
  protocolVersion: { version: 1, revision: 0 },
  hostName: 'lac1',
  framingCapabilities: 3,
  assignedTunnelId: TUNNEL.client,
};

export class Wire {
  readonly #packets: PacketToWrite[] = [];
  readonly #ns: Record<End, number> = { client: 0, server: 0 };
  #now = 1_700_000_000_000;
  #last: Uint8Array = new Uint8Array(0);

  file(): Uint8Array {
    return pcapFile(this.#packets);
  }

  wait(ms: number): this {
    this.#now += ms;
    return this;
  }

  /** Any packet. */
  raw(bytes: Uint8Array): this {
    this.#packets.push({ bytes, time: this.#now });
    this.#last = bytes;
    this.#now += 10;
    return this;
  }

  /** The last packet so many times more, a second apart each. */
  again(times: number): this {
    const last = this.#last;
    for (let time = 0; time < times; time += 1) this.wait(1000).raw(last);
    return this;
  }

  control(from: End, name: Parameters<typeof encodeControlMessage>[1], fields: AvpFields, sessionId = 0): this {
    const to = from === 'client' ? 'server' : 'client';
    const tunnelId = name === 'SCCRQ' ? 0 : TUNNEL[to];
    const ns = this.#ns[from];
    this.#ns[from] += 1;
    return this.#udp(from, encodeControlMessage({ tunnelId, sessionId, ns, nr: this.#ns[to] }, name, fields));
  }

  sccrq(fields: AvpFields = {}): this {
    return this.control('client', 'SCCRQ', { ...SCCRQ, ...fields });
  }

  sccrp(fields: AvpFields = {}): this {
    return this.control('server', 'SCCRP', { ...SCCRQ, assignedTunnelId: TUNNEL.server, ...fields });
  }

  /** A tunnel that stands, and the acknowledgement of it. */
  tunnel(): this {
    return this.sccrq().sccrp().control('client', 'SCCCN', {}).zlb('server');
  }

  zlb(from: End): this {
    const to = from === 'client' ? 'server' : 'client';
    const octets = new ByteWriter().u16(0xc802).u16(12).u16(TUNNEL[to]).u16(0).u16(this.#ns[from]).u16(this.#ns[to]);
    return this.#udp(from, octets.finish());
  }

  icrq(): this {
    return this.control('client', 'ICRQ', { assignedSessionId: SESSION.client, callSerialNumber: 1 });
  }

  icrp(): this {
    return this.control('server', 'ICRP', { assignedSessionId: SESSION.server }, SESSION.client);
  }

  iccn(): this {
    return this.control('client', 'ICCN', { txConnectSpeed: 1_000_000, framingType: 1 }, SESSION.server).zlb('server');
  }

  /** A session that stands in a tunnel that stands. */
  session(): this {
    return this.tunnel().icrq().icrp().iccn();
  }

  cdn(from: End, resultCode: number, errorCode?: number): this {
    const result = errorCode === undefined ? { resultCode } : { resultCode, errorCode };
    const to = from === 'client' ? 'server' : 'client';
    return this.control(from, 'CDN', { resultCode: result, assignedSessionId: SESSION[from] }, SESSION[to]);
  }

  stop(from: End, resultCode: number, errorCode?: number): this {
    const result = errorCode === undefined ? { resultCode } : { resultCode, errorCode };
    return this.control(from, 'StopCCN', { resultCode: result, assignedTunnelId: TUNNEL[from] });
  }

  /** A PPP control packet. */
  ppp(from: End, protocol: number, code: number, data: Uint8Array = new Uint8Array(0), identifier = 1): this {
    const packet = new ByteWriter()
      .u8(code)
      .u8(identifier)
      .u16(4 + data.length)
      .bytes(data)
      .finish();
    return this.frame(from, protocol, packet);
  }

  /** A PPP frame. */
  frame(from: End, protocol: number, information: Uint8Array): this {
    const to = from === 'client' ? 'server' : 'client';
    const header = new ByteWriter().u16(0x0002).u16(TUNNEL[to]).u16(SESSION[to]).u16(0xff03).u16(protocol).finish();
    return this.#udp(from, concatBytes(header, information));
  }

  /** LCP opens; the server demands this authentication. */
  lcp(authentication?: Uint8Array): this {
    this.ppp('client', PPP.lcp, REQUEST, magic(1));
    this.ppp('server', PPP.lcp, REQUEST, authentication ?? new Uint8Array(0));
    this.ppp('client', PPP.lcp, ACK, authentication ?? new Uint8Array(0));
    return this.ppp('server', PPP.lcp, ACK, magic(1));
  }

  /** IPCP opens. */
  ipcp(): this {
    this.ppp('client', PPP.ipcp, REQUEST, address(10));
    this.ppp('server', PPP.ipcp, REQUEST, address(1));
    this.ppp('client', PPP.ipcp, ACK, address(1));
    return this.ppp('server', PPP.ipcp, ACK, address(10));
  }

  /** An echo inside, of so many octets of ICMP. */
  echo(from: End, reply: boolean, length = 64): this {
    const icmp = new Uint8Array(length);
    icmp[0] = reply ? 0 : 8;
    const [source, destination] = from === 'client' ? ['10.98.0.10', '10.99.0.1'] : ['10.99.0.1', '10.98.0.10'];
    return this.frame(from, PPP.ip, ipv4(icmp, { source, destination, protocol: 1 }));
  }

  #udp(from: End, payload: Uint8Array): this {
    const to = from === 'client' ? 'server' : 'client';
    return this.raw(ipv4(udp(payload), { source: ADDRESS[from], destination: ADDRESS[to] }));
  }
}

export function option(type: number, ...octets: number[]): Uint8Array {
  return Uint8Array.from([type, octets.length + 2, ...octets]);
}

export function magic(number: number): Uint8Array {
  return option(5, 0, 0, 0, number);
}

export function address(last: number): Uint8Array {
  return option(3, 10, 98, 0, last);
}

export const DEMANDS_PAP = option(3, 0xc0, 0x23);
export const DEMANDS_CHAP = option(3, 0xc2, 0x23, 5);
export const DEMANDS_MSCHAPV2 = option(3, 0xc2, 0x23, 0x81);

/** Text with its length before it, as PAP has it. */
export function counted(text: string): Uint8Array {
  return Uint8Array.from([text.length, ...Buffer.from(text)]);
}
