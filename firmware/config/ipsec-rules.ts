/** Rules about IPsec connections by themselves. */

import {
  canonicalIp,
  formatCidr,
  networkOf,
  overlaps,
  parseCidr,
  parseRange,
  rangeToCidrs,
  sameNetwork,
} from '../protocol/ip-address.ts';
import { parseIkeIdentity } from './ike-identity.ts';
import { interfaceNetworks } from './interface-networks.ts';
import { IPSEC_ADDRESS_RULES } from './ipsec-address-rules.ts';
import { type IpsecEntry, ipsecEntries } from './ipsec-entries.ts';
import { checkAhProposal, checkEspProposal, checkIkeProposal, legacyAlgorithms } from './ipsec-proposals.ts';
import { ANY_PEER } from './ipsec-schema.ts';
import { itemPath } from './json-path.ts';
import { quoted } from './problem.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';
import { tunnelRoutes } from './tunnel-routes.ts';

/** Keys that a Main Mode responder tries on one message of a stranger: each costs a decryption. */
const MAX_MAIN_MODE_KEYS = 8;

export const IPSEC_RULES: readonly ConfigurationRule[] = [
  ...IPSEC_ADDRESS_RULES,
  {
    name: 'ipsec-remote',
    severity: 'error',
    description: 'A peer that may be everybody is written "any", and in no other way.',
    check: remote,
  },
  {
    name: 'ipsec-algorithms',
    severity: 'error',
    description:
      'Lists of algorithms name algorithms that there are, complete, and for the IKE version of the connection.',
    check: algorithms,
  },
  {
    name: 'ipsec-subnets',
    severity: 'error',
    description:
      'In tunnel mode there are networks at both ends, at this one not with routing "route" or a virtual address, behind the ' +
      'peer not with a pool; in transport mode there are none.',
    check: subnets,
  },
  {
    name: 'ipsec-start',
    severity: 'error',
    description:
      'Who is to call when packets come has a peer to call, and only who was called by them hangs up in silence.',
    check: startOnTraffic,
  },
  {
    name: 'ipsec-same-subnet',
    severity: 'error',
    description: 'The same network is not at both ends.',
    check: sameSubnet,
  },
  {
    name: 'ipsec-local-subnet',
    severity: 'warning',
    description:
      'A local network is at this end: of an interface, of a pool, or behind a static route or another tunnel.',
    check: localSubnet,
  },
  {
    name: 'ipsec-main-mode-keys',
    severity: 'error',
    description:
      'At most 8 connections of version 1 take callers from everywhere: a key in Main Mode is found by trying.',
    check: tooManyMainModeKeys,
  },
  {
    name: 'ipsec-main-mode-guess',
    severity: 'warning',
    description:
      'Better one connection of version 1 takes callers from everywhere: keys in Main Mode are told apart only by trying.',
    check: severalMainModeKeys,
  },
  {
    name: 'ipsec-main-mode-identity',
    severity: 'warning',
    description:
      'In Main Mode with a pre-shared key the own identity is an address, since the peer chooses the key before it can read a name.',
    check: mainModeIdentity,
  },
  {
    name: 'ipsec-legacy-algorithms',
    severity: 'warning',
    description: 'Algorithms that are broken or old are for peers that have no others.',
    check: oldAlgorithms,
  },
];

/** Other ways in which people write "everybody". */
function* remote(configuration: Configuration): Iterable<Finding> {
  for (const { path, remote: text } of ipsecEntries(configuration)) {
    if (text === ANY_PEER || !['any', '0.0.0.0', '::'].includes(canonicalIp(text) ?? text.toLowerCase())) continue;
    const allowed = 'the address or name of one peer, or "any" for everybody who calls';
    yield { path: `${path}.remote`, found: quoted(text), allowed, suggestion: ANY_PEER };
  }
}

function* algorithms(configuration: Configuration): Iterable<Finding> {
  for (const { path, kind, text, result } of ipsecEntries(configuration).flatMap(checkedProposals)) {
    if (result.ok) continue;
    const { reason, suggestion } = result;
    yield {
      path,
      found: `${quoted(text)}, ${reason.startsWith('which') ? reason : `in which ${reason}`}`,
      allowed: ALLOWED[kind],
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  }
}

function* oldAlgorithms(configuration: Configuration): Iterable<Finding> {
  for (const { path, text, result } of ipsecEntries(configuration).flatMap(checkedProposals)) {
    const old = result.ok ? legacyAlgorithms(result.proposals) : [];
    if (old.length === 0) continue;
    const found = `${quoted(text)}, which has ${old.join(' and ')} in it`;
    yield { path, found, allowed: 'better algorithms, unless an old peer has no others' };
  }
}

const ALLOWED = {
  ike: 'cipher, integrity and group of this IKE version, such as aes256-sha256-modp2048',
  esp: 'cipher and integrity, and a group for perfect forward secrecy, such as aes256-sha256 or aes128gcm16',
  ah: 'integrity, and a group for perfect forward secrecy, such as sha256 or sha256-modp2048',
} as const;

const CHECKS = { ike: checkIkeProposal, esp: checkEspProposal, ah: checkAhProposal } as const;

function checkedProposals(entry: IpsecEntry) {
  const kinds = ['ike', 'esp', 'ah'] as const;
  return kinds.flatMap((kind) =>
    (entry[kind] ?? []).map((text, index) => ({
      path: itemPath(`${entry.path}.${kind}`, index),
      kind,
      text,
      result: CHECKS[kind](entry.version, text),
    })),
  );
}

function* subnets(configuration: Configuration): Iterable<Finding> {
  for (const entry of ipsecEntries(configuration)) {
    for (const key of ['localSubnets', 'remoteSubnets'] as const) {
      const path = `${entry.path}.${key}`;
      const needed = entry.mode === 'tunnel' && isNeeded(entry, key);
      if (needed && entry[key].length === 0) {
        const whose = key === 'localSubnets' ? 'at this end' : 'behind the peer';
        yield { path, found: 'none', allowed: `in tunnel mode, one network or more ${whose}, such as 192.168.12.0/24` };
      } else if (entry.mode === 'transport' && entry[key].length > 0) {
        const found = `${entry[key].join(', ')} in transport mode, which connects no networks`;
        yield { path, found, allowed: 'none, or the mode "tunnel"; of an L2TP client, its routes' };
      }
    }
  }
}

/** Where routes decide, or the peer assigns the address of this end, no local network has to be named; callers of a pool have no network. */
function isNeeded({ routing, virtualAddress, pool }: IpsecEntry, key: 'localSubnets' | 'remoteSubnets'): boolean {
  return key === 'localSubnets' ? routing === 'policy' && !virtualAddress : pool === undefined;
}

function* startOnTraffic(configuration: Configuration): Iterable<Finding> {
  for (const { path, mode, remote, start, idleSeconds } of ipsecEntries(configuration)) {
    if (mode !== 'tunnel') continue;
    if (start === 'traffic' && remote === ANY_PEER) {
      const found = '"traffic" with the peer "any", whom nobody can call';
      yield { path: `${path}.start`, found, allowed: '"boot", or the address or name of a peer' };
    }
    if (start !== 'traffic' && idleSeconds > 0) {
      const found = `${idleSeconds} with start "${start}", with which nothing would call again`;
      yield { path: `${path}.idleSeconds`, found, allowed: '0, or start "traffic"' };
    }
  }
}

function* sameSubnet(configuration: Configuration): Iterable<Finding> {
  for (const { path, mode, localSubnets, remoteSubnets } of ipsecEntries(configuration)) {
    if (mode !== 'tunnel') continue;
    for (const [index, text] of remoteSubnets.entries()) {
      const remote = parseCidr(text);
      const local = localSubnets.map(parseCidr).find((prefix) => prefix && remote && sameNetwork(prefix, remote));
      if (local === undefined) continue;
      const found = `${formatCidr(networkOf(local))}, which is at this end as well`;
      yield { path: itemPath(`${path}.remoteSubnets`, index), found, allowed: 'a network that is at one end only' };
    }
  }
}

/** A slip in a local network lets the tunnel come up and carry nothing. Not said where no interface has an address here. */
function* localSubnet(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration).map(({ prefix }) => prefix);
  if (networks.length === 0) return;
  const ranges = Object.values(configuration.l2tp.servers).flatMap(({ pool }) => parseRange(pool) ?? []);
  const pools = ranges.flatMap(({ first, last }) => rangeToCidrs(first, last));
  const routed = configuration.routes.flatMap(({ prefix }) => parseCidr(prefix) ?? []);
  const here = [...networks, ...pools, ...routed.filter(({ length }) => length > 0)];
  const behind = tunnelRoutes(configuration);
  for (const { name, path, mode, localSubnets } of ipsecEntries(configuration)) {
    if (mode !== 'tunnel') continue;
    const own = `IPsec connection "${name}"`;
    for (const [index, text] of localSubnets.entries()) {
      const subnet = parseCidr(text);
      if (subnet === undefined || here.some((prefix) => overlaps(prefix, subnet))) continue;
      if (behind.some(({ owner, prefix }) => owner !== own && overlaps(prefix, subnet))) continue;
      const found = `${text}, and no network of this router is in it`;
      const allowed = 'the network of an interface or a pool, or one behind a static route or another tunnel';
      yield { path: itemPath(`${path}.localSubnets`, index), found, allowed };
    }
  }
}

/** Those among which a Main Mode responder has to find the key without knowing who calls. */
function mainModeKeys(configuration: Configuration): IpsecEntry[] {
  return ipsecEntries(configuration).filter(({ version, remote }) => version === 1 && remote === ANY_PEER);
}

function* tooManyMainModeKeys(configuration: Configuration): Iterable<Finding> {
  for (const { path } of mainModeKeys(configuration).slice(MAX_MAIN_MODE_KEYS)) {
    const found = `another connection of version 1 with the peer "any", beside ${MAX_MAIN_MODE_KEYS}`;
    const allowed = `at most ${MAX_MAIN_MODE_KEYS}: an IKEv1 caller says who it is only after the key is found by trying`;
    yield { path: `${path}.remote`, found, allowed };
  }
}

function* severalMainModeKeys(configuration: Configuration): Iterable<Finding> {
  const keys = mainModeKeys(configuration);
  for (const { path } of keys.slice(1, MAX_MAIN_MODE_KEYS)) {
    const found = `another connection of version 1 with the peer "any", beside "${keys[0]?.name}"`;
    const allowed = 'better one, a fixed address, or version 2: the key of an IKEv1 caller has to be found by trying';
    yield { path: `${path}.remote`, found, allowed };
  }
}

function* mainModeIdentity(configuration: Configuration): Iterable<Finding> {
  for (const { path, version, remote, localId, aggressive, psk } of ipsecEntries(configuration)) {
    const seen = aggressive || psk === undefined;
    if (version !== 1 || remote === ANY_PEER || localId === undefined || seen) continue;
    const kind = parseIkeIdentity(localId)?.kind;
    if (kind === 'ipv4' || kind === 'ipv6') continue;
    const found = `${quoted(localId)}, which an IKEv1 peer cannot see before it has chosen the key by the address`;
    yield { path: `${path}.localId`, found, allowed: 'better an address, no identity, or version 2' };
  }
}
