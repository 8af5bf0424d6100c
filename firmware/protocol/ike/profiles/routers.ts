/** Profiles of routers and firewalls. */
import { VENDOR_ID } from '../vendor-id-table.ts';
import type { PeerProfile } from './peer-profile.ts';

/** The capabilities behind it are Main Mode and Aggressive Mode. */
const FRAGMENTATION_BOTH_MODES = `${VENDOR_ID.fragmentation}c0000000`;

const ROUTEROS_LISTS = {
  ike: ['aes128-3des-sha1-modp2048-modp1024'],
  esp: ['aes256-aes192-aes128-sha1-modp1024'],
  ikeLifetime: 86_400,
  childLifetime: 1800,
} as const;

const ROUTEROS: PeerProfile = {
  name: 'routeros',
  title: 'MikroTik RouterOS',
  family: 'RouterOS',
  provenance:
    'Its default profile and proposal: PFS with the 1024-bit group, hence the group in the ESP proposals, and keys ' +
    'for half an hour. It asks after two minutes of silence, and uses L2TP port 1701 only for the set-up.',
  versions: {
    1: {
      ...ROUTEROS_LISTS,
      marks: {
        offers: [['aes128-sha1-modp2048', 'aes128-sha1-modp1024', '3des-sha1-modp2048', '3des-sha1-modp1024']],
        lifetime: 86_400,
      },
    },
    2: { ...ROUTEROS_LISTS, marks: {} },
  },
};

const CISCO_ASA: PeerProfile = {
  name: 'cisco-asa',
  title: 'Cisco ASA',
  family: 'Cisco ASA',
  provenance:
    'From logs of its peers: L2TP/IPsec there is IKEv1 only, and its transform set needs "mode transport". A tunnel with ' +
    'IKEv2, which has no defaults of its own, is for the profile "auto".',
  versions: {
    1: {
      ike: ['aes256-aes128-sha1-modp1536-modp1024', '3des-sha1-modp1024'],
      esp: ['aes256-aes128-3des-sha1'],
      ikeLifetime: 86_400,
      childLifetime: 28_800,
      marks: {
        vendorIdLists: [
          [VENDOR_ID.draft02WithLineFeed, VENDOR_ID.draft03, VENDOR_ID.rfc3947, FRAGMENTATION_BOTH_MODES],
          [VENDOR_ID.rfc3947, FRAGMENTATION_BOTH_MODES],
          [VENDOR_ID.draft02WithLineFeed, FRAGMENTATION_BOTH_MODES],
        ],
      },
    },
  },
};

const CISCO_IOS: PeerProfile = {
  name: 'cisco-ios',
  title: 'Cisco IOS and IOS XE',
  family: 'Cisco IOS',
  provenance:
    'From logs of its peers: often 3DES with the 1024-bit group and 28800 seconds in IKEv1; life durations of four octets, ' +
    'with one in kilobytes before that in seconds.',
  versions: {
    1: {
      ike: ['aes256-aes128-sha256-sha1-modp2048', 'aes256-aes128-sha1-modp1536-modp1024', '3des-sha1-modp1024'],
      esp: ['aes256-aes128-3des-sha1'],
      ikeLifetime: 28_800,
      childLifetime: 3600,
      marks: {
        vendorIdLists: [[VENDOR_ID.rfc3947, VENDOR_ID.draft07, VENDOR_ID.draft03, VENDOR_ID.draft02WithLineFeed]],
        offers: [['3des-sha1-modp1024']],
        lifetime: 28_800,
      },
    },
    2: {
      ike: ['aes256-sha512-sha384-sha256-ecp256-modp2048', 'aes256-aes128-sha512-sha256-sha1-modp1536-modp1024'],
      esp: ['aes256-aes128-sha256-sha1'],
      ikeLifetime: 86_400,
      childLifetime: 3600,
      marks: { vendorIds: [VENDOR_ID.ciscoFlexVpn] },
    },
  },
};

const FORTIGATE_LISTS = {
  ike: ['aes256-aes128-sha256-sha1-modp2048-modp1536'],
  esp: ['aes256-aes128-sha256-sha1'],
  ikeLifetime: 28_800,
  childLifetime: 3600,
} as const;

const FORTIGATE: PeerProfile = {
  name: 'fortigate',
  title: 'Fortinet FortiGate',
  family: 'FortiGate',
  provenance:
    'From its debug logs and configurations: AES256-SHA1 with the 2048-bit group and 28800 seconds, ESP AES128-SHA1 for an hour without ' +
    'PFS; its vendor id is in the first message.',
  versions: {
    1: {
      ...FORTIGATE_LISTS,
      marks: { vendorIds: [VENDOR_ID.fortigate], offers: [['aes256-sha1-modp2048']], lifetime: 28_800 },
    },
    2: { ...FORTIGATE_LISTS, marks: { vendorIds: [VENDOR_ID.fortigate] } },
  },
};

const EDGEOS_LISTS = {
  ike: ['aes256-sha1-modp2048-modp1024', '3des-sha1-modp1024'],
  esp: ['aes256-3des-sha1'],
  ikeLifetime: 3600,
  childLifetime: 3600,
} as const;

const EDGEOS: PeerProfile = {
  name: 'edgeos',
  title: 'Ubiquiti EdgeOS, VyOS',
  family: 'EdgeOS',
  provenance:
    'A strongSwan with a strict list that is written for it from its own configuration, so a short list is offered; its first ' +
    'messages are those of strongSwan.',
  versions: { 1: { ...EDGEOS_LISTS, marks: {} }, 2: { ...EDGEOS_LISTS, marks: {} } },
};

export const ROUTER_PROFILES: readonly PeerProfile[] = [ROUTEROS, CISCO_ASA, CISCO_IOS, FORTIGATE, EDGEOS];
