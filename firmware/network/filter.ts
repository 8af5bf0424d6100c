/** The body of our nftables table. */
import { formatIpAddress } from '../protocol/ip-prefix.ts';
import type { DesiredNetwork } from './desired.ts';
import { type GuardedRange, guardedRanges } from './guards.ts';
import { OUTER_MARK } from './marks.ts';

const MARK = `0x${OUTER_MARK.toString(16)}`;

/** Packets for a socket that carries a tunnel or asks for its server, and ICMP errors about such packets. */
const FOR_OUTER_SOCKET = `fib daddr type local meta l4proto { udp, icmp } socket mark ${MARK}`;

/**
 * In the nft language; empty when no table is wanted.
 * @param socketMatching whether this kernel can ask for the socket that a packet is for.
 */
export function filterBody(
  desired: Pick<DesiredNetwork, 'masquerade' | 'markReplies' | 'guards'>,
  socketMatching = true,
): string {
  const chains: string[] = [];
  const ranges = guardedRanges(desired.guards);
  if (ranges.length > 0) {
    chains.push(...[...new Set(ranges.map(({ device }) => device))].map(onlyBy));
    chains.push(chain('guard', 'filter', 'prerouting', 'raw', guardRules(ranges, socketMatching)));
  }
  if (desired.masquerade.length > 0) {
    const devices = desired.masquerade.map(({ device }) => `    oifname "${device}" masquerade`);
    chains.push(chain('postrouting', 'nat', 'postrouting', 'srcnat', devices));
  }
  if (desired.markReplies && socketMatching) {
    // Reverse-path filtering looks for the sender as an unmarked packet would be routed: into the tunnel, or nowhere
    // while it is down. With the socket's mark it looks where the socket's own packets go.
    chains.push(chain('outer', 'filter', 'prerouting', 'mangle', [`    ${FOR_OUTER_SOCKET} meta mark set ${MARK}`]));
  }
  return chains.join('\n');
}

/**
 * Drops what comes in clear from a network that belongs behind a tunnel of IPsec. The peer itself may be in such a
 * network, and so may a DNS server or the server of another tunnel: what carries tunnels is let through first. An
 * `accept` ends this hook only. The sources are a map, in which hundreds of networks cost a packet what one does.
 */
function guardRules(ranges: readonly GuardedRange[], socketMatching: boolean): readonly string[] {
  const ipv6 = ranges.some(({ family }) => family === 6);
  return [
    'iifname "lo" accept',
    'fib daddr type local meta l4proto { esp, ah } accept',
    'fib daddr type local udp dport { 500, 4500 } accept',
    // About native ESP (path MTU, for one), from any router on the way: the kernel finds no socket for those.
    'fib daddr type local icmp type { destination-unreachable, time-exceeded, parameter-problem } accept',
    // Large IKE messages: without their first fragment, which is judged like any other packet, these are worth nothing.
    'fib daddr type local ip frag-off & 0x1fff != 0 accept',
    ...(ipv6 ? IPV6_CARRIERS : []),
    ...(socketMatching ? [`${FOR_OUTER_SOCKET} accept`] : []),
    ...rangeMap('ip', ranges, 4),
    ...rangeMap('ip6', ranges, 6),
  ].map((rule) => `    ${rule}`);
}

/** The same of IPv6. Neighbour discovery never comes from further than the link, whatever addresses it has. */
const IPV6_CARRIERS = [
  'fib daddr type local icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept',
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept',
  'fib daddr type local frag frag-off != 0 accept',
];

function rangeMap(key: 'ip' | 'ip6', all: readonly GuardedRange[], family: 4 | 6): readonly string[] {
  const ranges = all.filter((range) => range.family === family);
  if (ranges.length === 0) return [];
  return [
    `${key} saddr vmap {`,
    ...ranges.map((range) => `  ${rangeText(range)} : goto ${onlyName(range.device)},`),
    '}',
  ];
}

/** The end of what must not come but by one device. */
function onlyBy(device: string): string {
  const rules = [`iifname "${device}" accept`, 'counter drop'];
  return [`  chain ${onlyName(device)} {`, ...rules.map((rule) => `    ${rule}`), '  }'].join('\n');
}

function onlyName(device: string): string {
  return `only-${device}`;
}

function rangeText({ family, first, last }: GuardedRange): string {
  const text = (address: bigint): string => formatIpAddress({ family, address });
  return first === last ? text(first) : `${text(first)}-${text(last)}`;
}

function chain(name: string, type: string, hook: string, priority: string, rules: readonly string[]): string {
  const head = `    type ${type} hook ${hook} priority ${priority}; policy accept;`;
  return [`  chain ${name} {`, head, ...rules, '  }'].join('\n');
}
