/**
 * Vendor ids that are known (RFC 2408 section 3.16; RFC 7296 section 3.12), by how they begin. Most are the MD5 of a text,
 * with a version behind it or without.
 */
import { hex, utf8Bytes } from '../bytes.ts';

/** How the vendor id of this implementation begins. */
export const OWN_NAME: Uint8Array = utf8Bytes('Culvert IKE');

/** Those that others than this table speak of, hexadecimal. */
export const VENDOR_ID = {
  culvert: hex(OWN_NAME),
  rfc3947: '4a131c81070358455c5728f20e95452f',
  /** Of NAT traversal, by the number of the draft; 02 went into the world with a line feed behind its name, too. */
  draft02: 'cd60464335df21f87cfdb2fc68b6a448',
  draft02WithLineFeed: '90cb80913ebb696e086381b5ec427b1f',
  draft03: '7d9419a65310ca6f2c179d9215529d56',
  draft07: '439b59f8ba676c4c7737ae22eab8f582',
  /** The name of the draft without a number, which Apple sends. */
  draftUnnumbered: '4df37928e9fc4fd1b3262170d515c662',
  /** RFC 3706 section 5.1, without the minor version. */
  deadPeerDetection: 'afcad71368a1f1c96b8696fc775701',
  /** Behind it, from some, 4 octets of capabilities. */
  fragmentation: '4048b7d56ebce88525e7de7f00d6c2d3',
  xauth: '09002689dfd6b712',
  strongswan: '882fe56d6fd20dbc2251613b2ebe5beb',
  libreswan: '4f452d4c69627265737761',
  windows: '1e2b516905991c7d7c96fcbfb587e461',
  fortigate: '8299031757a36082c6a621de',
  ciscoFlexVpn: '464c455856504e2d535550504f52544544',
} as const;

interface VendorIdRow {
  readonly prefix: string;
  /** What it says, in words. */
  readonly name: string;
  /** Whose implementation sends it; absent: anybody's. */
  readonly implementation?: string;
}

function of(prefix: string, implementation: string, name = implementation): VendorIdRow {
  return { prefix, name, implementation };
}

/**
 * Of several implementations the first one counts: who imitates another's vendor ids (many send Cisco's) comes before that
 * other.
 */
export const VENDOR_IDS: readonly VendorIdRow[] = [
  of(VENDOR_ID.culvert, 'Culvert'),
  of(VENDOR_ID.strongswan, 'strongSwan'),
  of('4f454c696272657377616e', 'Libreswan'),
  of(VENDOR_ID.libreswan, 'Libreswan'),
  of(VENDOR_ID.windows, 'Windows'),
  of(VENDOR_ID.fortigate, 'FortiGate'),
  of('1d6e178f6c2c0be284985465450fe9d4', 'FortiGate'),
  of('166f932d55eb64d8e4df4fd37e2313f0d0fd8451', 'Juniper'),
  of('7003cbc1097dbe9c2600ba6983bc8b35', 'racoon'),
  of('434953434f2d44454c4554452d524541', 'Cisco'),
  of(VENDOR_ID.ciscoFlexVpn, 'Cisco', 'Cisco FlexVPN'),
  of('434953434f', 'Cisco'),
  of('4f45', 'Openswan'),
  of('12f5f28c457168a9702d9fe274cc', 'Cisco, or one that speaks its dialect', 'Cisco Unity'),
  { prefix: VENDOR_ID.rfc3947, name: 'NAT traversal (RFC 3947)' },
  { prefix: VENDOR_ID.draftUnnumbered, name: 'NAT traversal (draft without a number)' },
  { prefix: '4485152d18b6bbcd0be8a8469579ddcc', name: 'NAT traversal (draft 00)' },
  { prefix: '16f6ca16e4a4066d83821a0f0aeaa862', name: 'NAT traversal (draft 01)' },
  { prefix: VENDOR_ID.draft02WithLineFeed, name: 'NAT traversal (draft 02, with a line feed)' },
  { prefix: VENDOR_ID.draft02, name: 'NAT traversal (draft 02)' },
  { prefix: VENDOR_ID.draft03, name: 'NAT traversal (draft 03)' },
  { prefix: '9909b64eed937c6573de52ace952fa6b', name: 'NAT traversal (draft 04)' },
  { prefix: '80d0bb3def54565ee84645d4c85ce3ee', name: 'NAT traversal (draft 05)' },
  { prefix: '4d1e0e136deafa34c4f3ea9f02ec7285', name: 'NAT traversal (draft 06)' },
  { prefix: VENDOR_ID.draft07, name: 'NAT traversal (draft 07)' },
  { prefix: '8f8d83826d246b6fc7a8a6a428c11de8', name: 'NAT traversal (draft 08)' },
  { prefix: VENDOR_ID.deadPeerDetection, name: 'Dead Peer Detection (RFC 3706)' },
  { prefix: VENDOR_ID.fragmentation, name: 'IKE fragmentation' },
  { prefix: VENDOR_ID.xauth, name: 'XAUTH' },
  { prefix: '26244d38eddb61b3172a36e3d0cfb819', name: 'Windows: Initial Contact' },
  { prefix: 'fb1de3cdf341b7ea16b7e5be0855f120', name: 'Windows: Negotiation Discovery' },
  { prefix: 'e3a5966a76379fe707228231e5ce8652', name: 'Windows: IKE CGA version 1' },
];

/** Name in words, by the bodies of the vendor ids; empty when unknown. */
export function implementationOf(ids: readonly Uint8Array[]): string {
  const texts = ids.map(hex);
  const row = VENDOR_IDS.find(
    ({ prefix, implementation }) => implementation !== undefined && texts.some((text) => text.startsWith(prefix)),
  );
  return row?.implementation ?? '';
}

/** What a vendor id says, in words; `undefined` when unknown. */
export function vendorMeaning(id: Uint8Array): string | undefined {
  const text = hex(id);
  return VENDOR_IDS.find(({ prefix }) => text.startsWith(prefix))?.name;
}
