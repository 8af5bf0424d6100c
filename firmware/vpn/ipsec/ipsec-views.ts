/** What can be seen of connections, channels and SAs from outside, in words. */

import { identityText } from '../../protocol/ike/identity.ts';
import type { ChildKeys, ChildSa, TrafficSelector } from '../../protocol/ike/ike-types.ts';
import { likenessText } from '../../protocol/ike/profiles/recognition.ts';
import { integrityText } from '../../protocol/ike/proposal-text.ts';
import { childProtocol, type IkeProposal } from '../../protocol/ike/proposals.ts';
import { findTransform } from '../../protocol/ike/transforms.ts';
import { formatCidr, parseIpv4, rangeToCidrs } from '../../protocol/ip-address.ts';
import { printable } from '../../protocol/printable.ts';
import type { UdpEndpoint } from '../../protocol/udp-path.ts';
import type { ChannelTable } from './channel-table.ts';
import type { ConnectionRecord } from './connection-record.ts';
import type { AnyIkeView, IkeRef } from './ike-endpoints.ts';
import type { ChildSaInfo, IkeSaInfo, IpsecConnectionInfo } from './ipsec-types.ts';

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'ICMP'],
  [6, 'TCP'],
  [17, 'UDP'],
]);

/** @param stateSince wall clock, ms. @param views of its IKE SAs. @param movedFrom where a peer was before. */
export function connectionInfo(
  { settings, state, failure }: ConnectionRecord,
  stateSince: number,
  views: readonly AnyIkeView[],
  channels: ChannelTable,
  movedFrom: (ike: IkeRef) => UdpEndpoint | undefined,
): IpsecConnectionInfo {
  const { name, version, mode, remote } = settings;
  return {
    name,
    version,
    mode,
    remote,
    state,
    stateSince,
    ...(failure === undefined ? {} : { failure }),
    ikeSas: views.map((view) => ikeInfo(view, channels, movedFrom(view))),
  };
}

function ikeInfo(view: AnyIkeView, channels: ChannelTable, movedFrom: UdpEndpoint | undefined): IkeSaInfo {
  const { version, initiator, state, path, proposal, peer, secondsLeft } = view;
  return {
    version,
    initiator,
    state,
    path,
    ...(movedFrom === undefined ? {} : { movedFrom }),
    algorithms: proposal === undefined ? '' : ikeText(version, proposal),
    peerIdentity: peer === undefined ? '' : identityText(peer.identity),
    ...(peer?.user === undefined ? {} : { peerUser: printable(peer.user) }),
    peerImplementation: printable(peer?.implementation ?? ''),
    ...(peer?.looksLike === undefined ? {} : { peerLooksLike: printable(likenessText(peer.looksLike)) }),
    natLocal: peer?.natLocal ?? false,
    natRemote: peer?.natRemote ?? false,
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
    children: view.children.flatMap((child) => childInfo(version, child, channels) ?? []),
  };
}

function childInfo(
  version: 1 | 2,
  { id, secondsLeft, group, additional }: AnyIkeView['children'][number],
  channels: ChannelTable,
): ChildSaInfo | undefined {
  const found = channels.byChild({ version, id });
  if (found === undefined) return undefined;
  const { channel, pair } = found;
  const { child } = pair;
  return {
    protocol: childProtocol(child.outbound),
    channel: channel.id,
    sa: pair.key,
    mode: child.mode,
    algorithms: espText(child, group, additional),
    inboundSpi: child.inboundSpi,
    outboundSpi: child.outboundSpi,
    sending: channel.sending === pair,
    udpEncapsulation: child.udpEncapsulation,
    secondsLeft,
    localSelectors: child.localSelectors.map(selectorWords),
    remoteSelectors: child.remoteSelectors.map(selectorWords),
  };
}

/** IKEv1 has a prf alone, whose hashes are never cut off; in IKEv2 it is said where it does not go without saying. */
function ikeText(version: 1 | 2, { encryption, integrity, prf, group, additional }: IkeProposal): string {
  const parts = [findTransform('encryption', encryption)?.title ?? encryption];
  const checked = version === 1 ? undefined : integrity;
  if (checked !== undefined) parts.push(integrityTitle(checked));
  if (checked === undefined || findTransform('integrity', checked)?.hash !== prf) {
    parts.push(findTransform('prf', prf)?.title ?? prf);
  }
  parts.push(groupTitle(group));
  if (additional !== undefined) parts.push(findTransform('additional', additional)?.title ?? additional);
  return parts.join(', ');
}

/** `AES-GCM with 256-bit key ...` as the table of transforms calls it, and what goes with it. */
function espText({ outbound, extendedSequenceNumbers }: ChildSa, group?: string, additional?: string): string {
  const parts = childProtocol(outbound) === 'ah' ? [] : [cipherText(outbound)];
  if (outbound.integrity !== undefined) parts.push(integrityTitle(outbound.integrity));
  if (group !== undefined) parts.push(`PFS ${groupTitle(group)}`);
  if (additional !== undefined) parts.push(findTransform('additional', additional)?.title ?? additional);
  if (extendedSequenceNumbers) parts.push('extended sequence numbers');
  return parts.join(', ');
}

function cipherText({ encryption }: ChildKeys): string {
  return findTransform('encryption', encryption)?.title ?? encryption;
}

function groupTitle(name: string): string {
  return findTransform('group', name)?.title ?? name;
}

function integrityTitle(name: string): string {
  return findTransform('integrity', name)?.title ?? integrityText(name);
}

/** `10.1.0.0/16`, `192.0.2.1 UDP port 1701`. */
export function selectorWords({ protocol, firstPort, lastPort, firstAddress, lastAddress }: TrafficSelector): string {
  const words = [addressWords(firstAddress, lastAddress)];
  if (protocol !== 0) words.push(PROTOCOL_NAMES.get(protocol) ?? `protocol ${protocol}`);
  if (firstPort === lastPort) words.push(`port ${firstPort}`);
  else if (firstPort !== 0 || lastPort !== 65_535) words.push(`ports ${firstPort}-${lastPort}`);
  return words.join(' ');
}

function addressWords(first: string, last: string): string {
  if (first === last) return first;
  const from = parseIpv4(first);
  const to = parseIpv4(last);
  const [prefix, another] = from === undefined || to === undefined ? [] : rangeToCidrs(from, to);
  return prefix === undefined || another !== undefined ? `${first}-${last}` : formatCidr(prefix);
}

/** Whether two child SAs are for the same traffic. */
export function selectorsKey(local: readonly TrafficSelector[], remote: readonly TrafficSelector[]): string {
  return [local, remote].map((side) => side.map(selectorWords).join(', ')).join(' - ');
}
