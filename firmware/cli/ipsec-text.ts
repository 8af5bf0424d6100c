/** IPsec connections for people: a table of them, and below it what each one has settled with its peer. */
import type { IpsecChildStatus, IpsecStatus } from '../api/router-control.ts';
import { table } from './table.ts';
import { countsText, durationText, failureLines, trafficText } from './units-text.ts';

type Lines = readonly string[];

export function ipsecText(connections: readonly IpsecStatus[]): Lines {
  if (connections.length === 0) return ['no IPsec connections'];
  const rows = connections.map(({ name, state, version, mode, role, peer, peerIdentity, peerUser }) => [
    name,
    state,
    `IKEv${version}`,
    mode,
    role,
    peer === 'any' ? 'waits for anybody' : peer,
    peerIdentity === '' ? '-' : peerUser === undefined ? peerIdentity : `${peerUser} (${peerIdentity})`,
  ]);
  const head = ['NAME', 'STATE', 'VERSION', 'MODE', 'ROLE', 'PEER', 'PEER IDENTITY'];
  return [
    ...table([head, ...rows]),
    ...failureLines(connections.map(withMoment)),
    ...connections.filter(({ algorithms }) => algorithms !== '').flatMap(settledText),
  ];
}

/** Says of a failure that is past that it is: the connection itself is on its way, or takes calls. */
function withMoment(connection: IpsecStatus): IpsecStatus {
  const { state, reason } = connection;
  if (reason === undefined || (state !== 'up' && state !== 'connecting')) return connection;
  const moment = state === 'up' ? 'the last caller was turned away' : 'the last attempt failed';
  return { ...connection, reason: `${moment}: ${reason}` };
}

function settledText(connection: IpsecStatus): Lines {
  const { name, peer, algorithms, secondsLeft, peerImplementation, peerLooksLike, children } = connection;
  const facts: (readonly [string, string])[] = [
    ['IKE SA', `${algorithms}${secondsLeft === undefined ? '' : `; ${leftText(secondsLeft)}`}`],
    ...(peerImplementation === '' ? [] : [['peer runs', peerImplementation] as const]),
    ...(peerLooksLike === undefined ? [] : [['this looks like', peerLooksLike] as const]),
    ['NAT', NAT_WORDS[connection.nat]],
    ...(connection.note === undefined ? [] : [['note', connection.note] as const]),
    ...(children.length === 0 ? [['child SAs', 'none: nothing passes'] as const] : children.flatMap(childText)),
  ];
  return ['', `${name} with ${peer}`, ...table(facts).map((line) => `  ${line}`)];
}

const NAT_WORDS: Readonly<Record<IpsecStatus['nat'], string>> = {
  none: 'none on the way',
  here: 'this router is behind a NAT',
  there: 'the peer is behind a NAT',
  both: 'both ends are behind a NAT',
};

function childText(child: IpsecChildStatus): (readonly [string, string])[] {
  const { state, protocol, encapsulation, algorithms, secondsLeft, localSelectors, remoteSelectors } = child;
  const esp = encapsulation === 'udp' ? 'ESP in UDP' : 'ESP';
  const how = protocol === 'ah' ? 'AH' : esp;
  const use = state === 'up' ? '' : '; only receives';
  const received = trafficText(child.packetsReceived, child.octetsReceived);
  const sent = trafficText(child.packetsSent, child.octetsSent);
  return [
    [how, `${algorithms}${protocol === 'ah' ? ', not encrypted' : ''}; ${leftText(secondsLeft)}${use}`],
    ['  between', `${localSelectors.join(', ')} and ${remoteSelectors.join(', ')}`],
    ['  received', `${received}, SPI ${child.inboundSpi}`],
    ['  sent', `${sent}, SPI ${child.outboundSpi}`],
    ...(countsText(child.drops) === '-' ? [] : [['  dropped', countsText(child.drops)] as const]),
  ];
}

function leftText(seconds: number): string {
  return `${durationText(seconds)} left`;
}
