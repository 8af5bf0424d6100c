/** Keys of running SAs as lines of Wireshark's tables, which the decoder and Wireshark both read. */
import { hex } from '../../../protocol/bytes.ts';
import type { ChildKeys, ChildSa, IkeSaSecrets, IkeSecrets } from '../../../protocol/ike/ike-types.ts';
import { childProtocol } from '../../../protocol/ike/proposals.ts';
import type { TableFile } from './key-files.ts';
import { OWN_LINE } from './key-lines.ts';
import { cipherTitle, integrityTitle, isKnownToWireshark, type KeyTable } from './wireshark-names.ts';

/** Every address, in `esp_sa`. */
const ANY = '*';

/** A line of one of the tables. It holds keys. */
export interface WrittenKey {
  /** Name of the file that Wireshark keeps such lines in. */
  readonly table: TableFile;
  readonly line: string;
}

/** Keys of an IKE SA first, then two lines for each child SA: what goes out, and what comes in. */
export function keyLines({ ike, path, behindNat, children }: IkeSecrets): readonly WrittenKey[] {
  // A capture from beyond the NAT has another address of this side.
  const own = behindNat ? ANY : path.local.address;
  return [ikeLine(ike), ...children.flatMap((child) => childLines(child, own, path.remote.address))];
}

function ikeLine(ike: IkeSaSecrets): WrittenKey {
  if (ike.version === 1) {
    return { table: 'ikev1_decryption_table', line: `${hex(ike.cookieI)},${hex(ike.encryptionKey)}` };
  }
  const { spiI, spiR, skEi, skEr, skAi, skAr, encryption, integrity } = ike;
  const fields = [
    hex(spiI),
    hex(spiR),
    hex(skEi),
    hex(skEr),
    `"${cipherTitle('ikev2', encryption)}"`,
    hex(skAi),
    hex(skAr),
    `"${integrityTitle('ikev2', integrity)}"`,
  ];
  return { table: 'ikev2_decryption_table', line: marked('ikev2', encryption, fields.join(',')) };
}

/** None of AH, which anybody can read. */
function childLines(child: ChildSa, own: string, remote: string): readonly WrittenKey[] {
  if (childProtocol(child.outbound) === 'ah') return [];
  const { inbound, outbound, inboundSpi, outboundSpi, extendedSequenceNumbers } = child;
  const line = (from: string, to: string, spi: number, keys: ChildKeys): WrittenKey => {
    const fields = [
      remote.includes(':') ? 'IPv6' : 'IPv4',
      from,
      to,
      `0x${spi.toString(16).padStart(8, '0')}`,
      cipherTitle('esp', keys.encryption),
      `0x${hex(keys.encryptionKey)}`,
      integrityTitle('esp', keys.integrity),
      keys.integrityKey === undefined ? '' : `0x${hex(keys.integrityKey)}`,
      // A column of later versions; 4.0 passes over it.
      ...(extendedSequenceNumbers ? ['64-bit'] : []),
    ];
    const text = fields.map((field) => `"${field}"`).join(',');
    return { table: 'esp_sa', line: marked('esp', keys.encryption, text) };
  };
  return [line(own, remote, outboundSpi, outbound), line(remote, own, inboundSpi, inbound)];
}

/** Wireshark refuses a whole file for one name it does not know: to it, the line is a comment. */
function marked(table: KeyTable, encryption: string, line: string): string {
  return isKnownToWireshark(table, encryption) ? line : `${OWN_LINE}${line}`;
}
