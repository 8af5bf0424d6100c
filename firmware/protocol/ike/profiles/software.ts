/** Profiles of implementations that run on a Linux like this one. */
import { VENDOR_ID } from '../vendor-id-table.ts';
import type { PeerProfile } from './peer-profile.ts';

const STRONGSWAN: PeerProfile = {
  name: 'strongswan',
  title: 'strongSwan 5.9 and 6',
  family: 'strongSwan',
  provenance:
    'From its manual, and from the one that the tests of this project talk to: the best of its default proposals, new keys after ' +
    'four hours and one. It names itself only with "charon.send_vendor_id"; in IKEv1 the order of its vendor ids gives it away.',
  versions: {
    1: {
      ike: ['aes256-sha384-sha256-x25519-ecp384-ecp256-modp3072-modp2048', 'aes128-sha256-x25519-ecp256-modp2048'],
      esp: ['aes256gcm16', 'aes128gcm16', 'aes256-aes128-sha256-sha1'],
      ikeLifetime: 14_400,
      childLifetime: 3600,
      marks: {
        vendorIds: [VENDOR_ID.strongswan],
        vendorIdLists: [
          [
            VENDOR_ID.xauth,
            VENDOR_ID.deadPeerDetection,
            VENDOR_ID.fragmentation,
            VENDOR_ID.rfc3947,
            VENDOR_ID.draft02WithLineFeed,
          ],
          [VENDOR_ID.xauth, VENDOR_ID.deadPeerDetection, VENDOR_ID.fragmentation, VENDOR_ID.rfc3947],
        ],
      },
    },
    2: {
      ike: [
        'aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha256-x25519-ecp256-ecp384-modp3072-modp2048',
        'aes256-aes128-sha512-sha384-sha256-x25519-ecp256-ecp384-modp3072-modp2048',
      ],
      esp: ['aes256gcm16-aes128gcm16-chacha20poly1305', 'aes256-aes128-sha256'],
      ikeLifetime: 14_400,
      childLifetime: 3600,
      marks: { vendorIds: [VENDOR_ID.strongswan] },
    },
  },
};

const LIBRESWAN: PeerProfile = {
  name: 'libreswan',
  title: 'Libreswan 4 and 5',
  family: 'Libreswan',
  provenance:
    'From its manual and logs: no group below 2048 bits, PFS unless it says "pfs=no", keys for eight hours. It names itself only ' +
    'with "send-vendorid=yes".',
  versions: {
    1: {
      ike: ['aes256-aes128-sha256-sha512-sha1-modp2048', 'aes256-sha256-ecp256-modp3072-modp4096'],
      esp: ['aes256gcm16', 'aes256-aes128-sha256-sha1'],
      ikeLifetime: 28_800,
      childLifetime: 28_800,
      marks: { vendorIds: [VENDOR_ID.libreswan] },
    },
    2: {
      ike: [
        'aes256gcm16-aes128gcm16-prfsha512-prfsha256-ecp256-x25519-modp2048-modp3072-ecp384',
        'aes256-aes128-sha512-sha256-ecp256-x25519-modp2048-modp3072-ecp384',
      ],
      esp: ['aes256gcm16', 'aes128gcm16', 'aes256-aes128-sha512-sha256'],
      ikeLifetime: 28_800,
      childLifetime: 28_800,
      marks: { vendorIds: [VENDOR_ID.libreswan] },
    },
  },
};

const CULVERT: PeerProfile = {
  name: 'culvert',
  title: 'Culvert',
  family: 'Culvert',
  provenance:
    'This implementation: the best choice for each version first, since both ends have it. They agree on ESP in UDP by their ' +
    'vendor ids.',
  versions: {
    1: {
      ike: ['aes256-sha256-x25519-modp2048'],
      esp: ['aes256gcm16', 'aes256-sha256-sha1'],
      ikeLifetime: 14_400,
      childLifetime: 3600,
      marks: { vendorIds: [VENDOR_ID.culvert] },
    },
    2: {
      ike: ['aes256gcm16-prfsha256-x25519'],
      esp: ['aes256gcm16-esn-noesn'],
      ikeLifetime: 14_400,
      childLifetime: 3600,
      marks: { vendorIds: [VENDOR_ID.culvert] },
    },
  },
};

export const SOFTWARE_PROFILES: readonly PeerProfile[] = [STRONGSWAN, LIBRESWAN, CULVERT];
