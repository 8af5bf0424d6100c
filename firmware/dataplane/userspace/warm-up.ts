/**
 * Runs packets through SAs that nobody else knows, before there are others. The first use of a cipher looks up its symbols
 * and algorithms, and the first way of a packet compiles the code: some milliseconds, on a small board tens of them, for
 * which the first packets of the first peer would have to wait, and those of everybody else.
 */

import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import { PACKET_ENCRYPTIONS, PACKET_INTEGRITIES } from '../../../hal/packet-cipher-suite.ts';
import { CONTROL_HEADER_LENGTH } from '../../protocol/l2tp/header.ts';
import type { RandomSource } from '../../protocol/machine.ts';
import { Forwarder } from './forwarder.ts';

/** What peers agree on most: a row for each way through the ciphers, with the algorithms that have to be looked up. */
const SUITES: readonly (readonly [string, string?])[] = [
  ['aes128gcm16'],
  ['aes256gcm16'],
  ['chacha20poly1305'],
  ['aes128', 'sha1'],
  ['aes256', 'sha1'],
  ['aes256', 'sha256'],
  ['3des', 'sha1'],
];

/** Packets by each: the first finds everything, the later ones find it again. */
const PACKETS = 4;

const HERE = '127.0.0.1';
const PORT = 1701;
const L2TP = 1;
const ESP = 2;
const FIRST_SPI = 0x100;
/** The T bit (RFC 2661 section 3.1). */
const CONTROL_MESSAGE = 0x80;

/** Never throws: what does not run here is told of when somebody wants it. @returns packets that came back. */
export function warmUp(ciphers: PacketCipherFactory, random: RandomSource): number {
  const buffer = new Uint8Array(512);
  let length = 0;
  let came = 0;
  const ports = {
    send: (_socket: number, datagram: Uint8Array): undefined => {
      buffer.set(datagram);
      length = datagram.length;
    },
    sendByLine: () => true,
    deliver: () => true,
    controlRoom: () => true,
    event: ({ kind }: { readonly kind: string }): void => {
      if (kind === 'datagram') came += 1;
    },
  };
  const forwarder = new Forwarder(ports, ciphers, random);
  const socket = { family: 4, address: HERE, mark: 0 } as const;
  forwarder.table.addSocket({ ...socket, id: L2TP, purpose: 'protected-l2tp', port: PORT });
  forwarder.table.addSocket({ ...socket, id: ESP, purpose: 'esp', port: 0 });
  const outer = { remote: { address: HERE, port: 0 }, local: { address: HERE, port: 0 } };
  const message = new Uint8Array(CONTROL_HEADER_LENGTH);
  message[0] = CONTROL_MESSAGE;
  for (const [index, suite] of SUITES.entries()) {
    const key = index + 1;
    const policy = { key, inside: { kind: 'l2tp', socket: L2TP } } as const;
    const keys = { ...keysOf(suite, random), spi: FIRST_SPI + index };
    const host = [{ protocol: 0, firstPort: 0, lastPort: 0xffff, firstAddress: HERE, lastAddress: HERE }];
    forwarder.putPolicy(policy, 0);
    forwarder.putSa(
      {
        key,
        policy: key,
        socket: ESP,
        path: outer,
        mode: 'transport',
        inbound: keys,
        outbound: keys,
        extendedSequenceNumbers: false,
        lifetimes: {},
        localSelectors: host,
        remoteSelectors: host,
        followPeer: false,
      },
      0,
    );
    forwarder.putPolicy({ ...policy, sa: key }, 0);
    const path = { remote: { address: HERE, port: PORT }, local: { address: HERE, port: PORT }, bearer: key };
    const origin = { remoteAddress: HERE, remotePort: 0, localAddress: HERE, interfaceIndex: 0, offset: 0 };
    for (let packet = 0; packet < PACKETS; packet++) {
      length = 0;
      forwarder.sendDatagram(L2TP, path, message, 0);
      if (length > 0)
        forwarder.receiveDatagram(ESP, buffer, { ...origin, length, trafficClass: 0, truncated: false }, 0);
    }
    forwarder.removePolicy(key);
  }
  return came;
}

function keysOf([encryption, integrity]: readonly [string, string?], random: RandomSource) {
  const row = PACKET_ENCRYPTIONS.get(encryption);
  const encryptionKey = random.bytes((row?.keyOctets ?? 0) + (row?.saltOctets ?? 0));
  if (integrity === undefined) return { encryption, encryptionKey };
  return {
    encryption,
    encryptionKey,
    integrity,
    integrityKey: random.bytes(PACKET_INTEGRITIES.get(integrity)?.keyOctets ?? 0),
  };
}
