/** Profiles of what people have on desks and in pockets, and of the server that comes with it. */
import { VENDOR_ID } from '../vendor-id-table.ts';
import type { PeerMarks, PeerProfile, ProfileVersion } from './peer-profile.ts';

/** Every combination of `aes256-sha1` and `modp1024`, the first kind outermost, as these peers list them. */
function each(...kinds: readonly (readonly string[])[]): readonly string[] {
  return kinds.reduce((texts, kind) => texts.flatMap((text) => kind.map((name) => `${text}-${name}`)));
}

/** Single DES as an offer of IKEv1 is written: it is in no table of ours. */
const DES = 'encryption#1';

const WINDOWS_V1_IKE = [
  'aes256-sha1-ecp384',
  'aes128-sha1-ecp256',
  'aes256-sha1-modp2048',
  '3des-sha1-modp2048',
  '3des-sha1-modp1024',
] as const;

const WINDOWS_V1: ProfileVersion = {
  ike: WINDOWS_V1_IKE,
  esp: ['aes256-aes128-3des-sha1'],
  ikeLifetime: 28_800,
  childLifetime: 3600,
  marks: {
    vendorIds: [VENDOR_ID.windows],
    offers: [WINDOWS_V1_IKE],
    lifetime: 28_800,
  },
};

const WINDOWS_V2: ProfileVersion = {
  ike: [
    'aes256-sha384-ecp384',
    'aes256-sha256-modp2048',
    'aes256-aes128-sha384-sha256-sha1-modp1024',
    '3des-sha1-modp1024',
  ],
  esp: ['aes256gcm16', 'aes128gcm16', 'aes256-sha256-sha1', 'aes128-3des-sha1'],
  ikeLifetime: 28_800,
  childLifetime: 3600,
  marks: {
    vendorIds: [VENDOR_ID.windows],
    offersBegin: each(['3des', 'aes128', 'aes192', 'aes256'], ['sha1', 'sha256', 'sha384'], ['modp1024']),
  },
};

function inRole(role: 'caller' | 'called', version: ProfileVersion): ProfileVersion {
  return { ...version, marks: { ...version.marks, role } };
}

const WINDOWS_SERVER: PeerProfile = {
  name: 'windows-server',
  title: 'Windows Server (Routing and Remote Access)',
  family: 'Windows',
  provenance:
    'From logs of callers: the lists of the Windows client, with the 1024-bit group in IKEv2 until a custom ' +
    'policy says otherwise. It has no vendor id for Dead Peer Detection, and takes no PFS in L2TP/IPsec.',
  versions: { 1: inRole('called', WINDOWS_V1), 2: inRole('called', WINDOWS_V2) },
};

const WINDOWS_CLIENT: PeerProfile = {
  name: 'windows-client',
  title: 'Windows 10 and 11',
  family: 'Windows',
  provenance:
    'From logs of servers it called: five proposals in IKEv1, with life durations of four octets, transport mode without ' +
    'PFS, its private address as identity. A fourth Quick Mode message may come and is ignored; behind a NAT it needs ' +
    'AssumeUDPEncapsulationContextOnSendRule.',
  versions: { 1: inRole('caller', WINDOWS_V1), 2: inRole('caller', WINDOWS_V2) },
};

const APPLE_V1_MARKS: PeerMarks = {
  vendorIds: [VENDOR_ID.draftUnnumbered],
  offers: [
    [
      ...each(['aes256'], ['sha256', 'sha1', 'md5', 'sha512'], ['modp2048']),
      ...each(['aes256'], ['sha256', 'sha1', 'md5'], ['modp1536']),
      ...each(['aes256'], ['sha256', 'sha1', 'md5'], ['modp1024']),
      ...each(['aes128', '3des'], ['sha1', 'md5'], ['modp1024']),
    ],
  ],
  lifetime: 3600,
};

const APPLE_V1: ProfileVersion = {
  ike: ['aes256-sha256-sha512-sha1-modp2048', 'aes256-sha256-sha1-modp1536-modp1024', 'aes128-3des-sha1-modp1024'],
  esp: ['aes256-aes128-3des-sha1'],
  ikeLifetime: 3600,
  childLifetime: 3600,
  marks: APPLE_V1_MARKS,
};

const APPLE_V2: ProfileVersion = {
  ike: ['aes256gcm16-prfsha256-ecp256-modp2048', 'aes256-sha256-ecp256-modp2048'],
  esp: ['aes256gcm16', 'aes256-sha256'],
  ikeLifetime: 86_400,
  childLifetime: 3600,
  marks: {
    offers: [
      [
        'aes256gcm16-prfsha256-ecp256',
        'aes256gcm16-prfsha256-modp2048',
        'aes256-sha256-ecp256',
        'aes256-sha256-modp2048',
      ],
    ],
  },
};

const MACOS: PeerProfile = {
  name: 'macos',
  title: 'macOS',
  family: 'macOS',
  provenance:
    'From logs of servers it called: fourteen proposals in IKEv1, of which MD5 is left out here, and four in IKEv2. It sends the ' +
    'original addresses behind a NAT, calls L2TP from a port other than 1701, and may repeat Quick Mode after it deleted phase 1.',
  versions: { 1: APPLE_V1, 2: APPLE_V2 },
};

const IOS: PeerProfile = {
  name: 'ios',
  title: 'iOS and iPadOS',
  family: 'iOS',
  provenance: 'The same implementation as in macOS, and the same first messages: the two cannot be told apart by them.',
  versions: { 1: APPLE_V1, 2: APPLE_V2 },
};

const ANDROID_OFFERS = each(['aes256', 'aes128', '3des', DES], ['sha1', 'md5'], ['modp1024']);

const ANDROID_LEGACY: PeerProfile = {
  name: 'android-legacy',
  title: 'Android up to 11 (built-in L2TP/IPsec)',
  family: 'Android',
  provenance:
    'From logs of servers it called: racoon with the 1024-bit group alone, SHA-2 in phase 1 since Android 6. Android 6 and 7 cut ' +
    'HMAC-SHA2-256 of ESP to 96 bits, so ESP has SHA-1; MD5 and DES, which it offers as well, are left out.',
  versions: {
    1: {
      ike: ['aes256-sha384-sha256-sha1-modp1024', 'aes128-3des-sha1-modp1024'],
      esp: ['aes256-aes128-3des-sha1'],
      ikeLifetime: 28_800,
      childLifetime: 28_800,
      marks: {
        offers: [ANDROID_OFFERS, [...each(['aes256'], ['sha384', 'sha256'], ['modp1024']), ...ANDROID_OFFERS]],
        lifetime: 28_800,
      },
    },
  },
};

export const CLIENT_PROFILES: readonly PeerProfile[] = [WINDOWS_SERVER, WINDOWS_CLIENT, MACOS, IOS, ANDROID_LEGACY];
