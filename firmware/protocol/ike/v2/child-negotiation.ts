/**
 * What the two sides of a child SA agree on, in IKE_AUTH and CREATE_CHILD_SA alike (RFC 7296 sections 1.3, 2.9,
 * 2.23.1).
 */
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import { childKeymat } from '../crypto/keys-v2.ts';
import type { ChildSa, TrafficSelector } from '../ike-types.ts';
import { ahThroughNat } from '../nat.ts';
import { espOfferRefused, noEspProposal } from '../no-proposal.ts';
import { withSuggestedEspProfile } from '../profiles/suggestion.ts';
import { childProtocol, chooseEspProposal, type EspProposal, espOffers, isForAh } from '../proposals.ts';
import { addressWanted, noAddressLeft } from './auth-failures.ts';
import { type Child, spiNumber, spiOctets } from './child.ts';
import { malformed, modeMismatch, peerRefused, selectorsRefused, selectorsUnacceptable } from './failures.ts';
import type { IkeSa } from './ike-sa.ts';
import { lifetime } from './lifetime.ts';
import { findError, findNotify, type NotifyPayload, notify } from './notify.ts';
import { type ExchangeName, NOTIFY } from './numbers.ts';
import { find, type Payload } from './payload.ts';
import { encodeEspChoice, encodeEspOffers, espOffersOf } from './sa-payload.ts';
import { DEFAULT_CHILD_LIFETIME } from './settings.ts';
import { anySelector, atAddress, hostSelector, isWithin, narrow } from './traffic-selector.ts';

/** SPIs below are reserved (RFC 4303 section 2.1). */
const FIRST_SPI = 256;

interface Selectors {
  readonly local: readonly TrafficSelector[];
  readonly remote: readonly TrafficSelector[];
}

/** What this side asks for. */
export interface ChildAsk extends Selectors {
  /** Of the direction towards this side. */
  readonly spi: number;
  readonly mode: 'transport' | 'tunnel';
  readonly proposals: readonly EspProposal[];
  /** Whether groups count: not in IKE_AUTH, where there is no key exchange for it (section 1.2). */
  readonly keyExchange: boolean;
}

/** What both sides agreed on. */
export interface AgreedChild extends Selectors {
  readonly esp: EspProposal;
  readonly outboundSpi: number;
  readonly mode: 'transport' | 'tunnel';
  readonly natOriginal?: { readonly local: string; readonly remote: string };
}

/** Refused: what to tell the peer, and what to tell people. */
export interface ChildRefusal {
  readonly answer: NotifyPayload;
  readonly failure: Failure;
}

/** As configured, or as one side assigned to the other; in transport mode the two ends of the path. */
function configuredSelectors({ connection, path, configuration, assigned }: IkeSa): Selectors {
  const { localSelectors, remoteSelectors, transportPorts, mode, requestAddress } = connection;
  const { local, remote } = path;
  if (mode === 'tunnel') {
    const any = [anySelector(local.address.includes(':') ? 6 : 4)];
    // Before it is known, any is asked for, and narrowed by the peer to what it assigns (section 2.19).
    const own = requestAddress === true ? (hosts(configuration) ?? any) : (localSelectors ?? any);
    return { local: own, remote: hosts(assigned) ?? remoteSelectors ?? any };
  }
  const { protocol, local: localPort, remote: remotePort } = transportPorts ?? { protocol: 0, local: 0, remote: 0 };
  const at = (address: string, port: number, selectors: readonly TrafficSelector[] | undefined) =>
    transportPorts === undefined && selectors !== undefined
      ? atAddress(selectors, address)
      : [hostSelector(address, protocol, port)];
  return {
    local: at(local.address, localPort, localSelectors),
    remote: at(remote.address, remotePort, remoteSelectors),
  };
}

function hosts(configuration: AssignedConfiguration | undefined): readonly TrafficSelector[] | undefined {
  return configuration?.addresses.map((address) => hostSelector(address, 0, 0));
}

/** @param old the one to be replaced, whose selectors stay. */
export function askForChild(sa: IkeSa, keyExchange: boolean, old?: Child): ChildAsk {
  const { connection, path, host } = sa;
  const mode = old?.sa.mode ?? connection.mode;
  const selectors = old === undefined ? configuredSelectors(sa) : selectorsOf(old.sa, path);
  const proposals = keyExchange ? connection.espProposals : connection.espProposals.map(withoutGroup);
  return { ...selectors, spi: host.newEspSpi(), mode, proposals, keyExchange };
}

/** In transport mode the addresses follow the path, which may have moved since. */
function selectorsOf({ mode, localSelectors, remoteSelectors }: ChildSa, path: UdpPath): Selectors {
  if (mode === 'tunnel') return { local: localSelectors, remote: remoteSelectors };
  return {
    local: atAddress(localSelectors, path.local.address),
    remote: atAddress(remoteSelectors, path.remote.address),
  };
}

function withoutGroup({ encryption, integrity, esn }: EspProposal): EspProposal {
  return integrity === undefined ? { encryption, esn } : { encryption, integrity, esn };
}

/** Payloads of the request. @param middle what stands between SA and TSi. */
export function askPayloads(ask: ChildAsk, middle: readonly Payload[] = []): readonly Payload[] {
  return [
    ...(ask.mode === 'transport' ? [notify('USE_TRANSPORT_MODE')] : []),
    { kind: 'SA', proposals: encodeEspOffers(espOffers(ask.proposals), spiOctets(ask.spi)) },
    ...middle,
    { kind: 'TSi', selectors: ask.local },
    { kind: 'TSr', selectors: ask.remote },
  ];
}

/** Reads the answer to what this side asked for. */
export function readChildAnswer(
  sa: IkeSa,
  step: ExchangeName,
  ask: ChildAsk,
  payloads: readonly Payload[],
): AgreedChild | { readonly failure: Failure } {
  const error = findError(payloads);
  if (error?.type === NOTIFY.NO_PROPOSAL_CHOSEN) return { failure: espOfferRefused('child SA', ask.proposals) };
  if (error?.type === NOTIFY.TS_UNACCEPTABLE) return { failure: selectorsUnacceptable(ask.local, ask.remote) };
  if (error?.type === NOTIFY.INTERNAL_ADDRESS_FAILURE) return { failure: noAddressLeft() };
  if (error?.type === NOTIFY.FAILED_CP_REQUIRED) return { failure: addressWanted() };
  if (error !== undefined) return { failure: peerRefused(step, error.type) };
  const bad = (what: string) => ({ failure: malformed(step, what) });
  const [offered, ...more] = espOffersOf(find(payloads, 'SA')?.proposals ?? []);
  const tsi = find(payloads, 'TSi')?.selectors;
  const tsr = find(payloads, 'TSr')?.selectors;
  if (offered === undefined || more.length > 0 || tsi === undefined || tsr === undefined) {
    return bad('an incomplete answer for the child SA');
  }
  const { encryption, integrity, group, additional = [], esn } = offered.offer;
  const single = [encryption, integrity, group, additional, esn].every((names) => names.length <= 1);
  const choice = chooseEspProposal([offered.offer], ask.proposals, { ignoreGroup: !ask.keyExchange });
  const outboundSpi = spiNumber(offered.proposal.spi);
  if (!single || choice === undefined || outboundSpi === undefined || outboundSpi < FIRST_SPI) {
    return bad(`a choice of ${isForAh(ask.proposals) ? 'AH' : 'ESP'} algorithms that we did not offer`);
  }
  const transport = findNotify(payloads, 'USE_TRANSPORT_MODE') !== undefined;
  if (transport !== (ask.mode === 'transport')) return { failure: modeMismatch(ask.mode) };
  const seen = transport ? throughNat(sa, tsi, tsr) : { local: tsi, remote: tsr };
  if (tsi.length === 0 || tsr.length === 0 || !isWithin(seen.local, ask.local) || !isWithin(seen.remote, ask.remote)) {
    return bad('traffic selectors that we did not offer');
  }
  const { proposal: esp } = choice;
  return { ...seen, esp, outboundSpi, mode: ask.mode, ...natOriginal(sa, transport, tsi, tsr) };
}

/** Judges what the peer asks for. @param keGroup group of its KE payload, by name. */
export function judgeChildRequest(
  sa: IkeSa,
  payloads: readonly Payload[],
  keyExchange: boolean,
  keGroup?: string,
): (AgreedChild & { readonly number: number }) | ChildRefusal {
  const { connection } = sa;
  const offered = espOffersOf(find(payloads, 'SA')?.proposals ?? []);
  const offers = offered.map(({ offer }) => offer);
  const tsi = find(payloads, 'TSi')?.selectors ?? [];
  const tsr = find(payloads, 'TSr')?.selectors ?? [];
  const options = { ignoreGroup: !keyExchange };
  const acceptable = connection.espProposals;
  const choice =
    (keyExchange && keGroup !== undefined
      ? chooseEspProposal(offers, acceptable, { onlyGroup: keGroup })
      : undefined) ?? chooseEspProposal(offers, acceptable, options);
  const proposal = choice === undefined ? undefined : offered[choice.index]?.proposal;
  const outboundSpi = proposal === undefined ? undefined : spiNumber(proposal.spi);
  if (choice === undefined || proposal === undefined || outboundSpi === undefined || outboundSpi < FIRST_SPI) {
    const failure = noEspProposal('child SA', offers, acceptable, options);
    // Profiles have no AH.
    const told = isForAh(acceptable) ? failure : withSuggestedEspProfile(failure, 2, sa.looksLike, offers, options);
    return { answer: notify('NO_PROPOSAL_CHOSEN'), failure: told };
  }
  if (childProtocol(choice.proposal) === 'ah' && (sa.nat.local || sa.nat.remote)) {
    return { answer: notify('NO_PROPOSAL_CHOSEN'), failure: ahThroughNat('child SA', sa.nat) };
  }
  const wantsTransport = findNotify(payloads, 'USE_TRANSPORT_MODE') !== undefined;
  if (connection.mode === 'transport' && !wantsTransport) {
    return { answer: notify('NO_PROPOSAL_CHOSEN'), failure: modeMismatch('transport') };
  }
  const transport = connection.mode === 'transport';
  // Seen from here: what the peer calls the initiator's side is the remote one.
  const seen = transport ? throughNat(sa, tsr, tsi) : { local: tsr, remote: tsi };
  const allowed = configuredSelectors(sa);
  const local = narrow(seen.local, allowed.local);
  const remote = narrow(seen.remote, allowed.remote);
  if (local.length === 0 || remote.length === 0) {
    const otherMode = wantsTransport && !transport;
    const failure = otherMode ? modeMismatch('tunnel') : selectorsRefused(seen, allowed);
    return { answer: notify('TS_UNACCEPTABLE'), failure };
  }
  const { mode } = connection;
  const { number } = proposal;
  return { local, remote, esp: choice.proposal, outboundSpi, mode, number, ...natOriginal(sa, transport, tsr, tsi) };
}

/** Payloads of the answer. @param middle what stands between SA and TSi. */
export function answerPayloads(
  agreed: AgreedChild & { readonly number: number },
  inboundSpi: number,
  middle: readonly Payload[] = [],
): readonly Payload[] {
  return [
    ...(agreed.mode === 'transport' ? [notify('USE_TRANSPORT_MODE')] : []),
    { kind: 'SA', proposals: encodeEspChoice(agreed.esp, agreed.number, spiOctets(inboundSpi)) },
    ...middle,
    { kind: 'TSi', selectors: agreed.remote },
    { kind: 'TSr', selectors: agreed.local },
  ];
}

/** What the keys of a child are made of, and which side asked for it. */
export interface ChildSeed {
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
  readonly sharedSecret?: Uint8Array;
  /** Of IKE_FOLLOWUP_KE. */
  readonly additionalSecret?: Uint8Array;
  /** Whether this side sent the request of the exchange. */
  readonly asked: boolean;
}

/** Whether its packets go in UDP. @param esp of the child. */
export function isEncapsulated({ encapsulation }: IkeSa, esp: EspProposal): boolean {
  return encapsulation !== undefined && childProtocol(esp) === 'esp';
}

/** The child, not installed yet. */
export function makeChild(now: Instant, sa: IkeSa, agreed: AgreedChild, inboundSpi: number, seed: ChildSeed): Child {
  const { connection, host, keys, proposal } = sa;
  if (keys === undefined || proposal === undefined) throw new Error('a child SA of an IKE SA without keys');
  const keymat = childKeymat(agreed.esp, { prf: proposal.prf, skD: keys.skD }, seed);
  const seconds = connection.childLifetime ?? DEFAULT_CHILD_LIFETIME;
  const { rekeyAt, expiresAt } = lifetime(now, seconds, host.random);
  return {
    sa: {
      id: host.newChildId(),
      ikeId: sa.id,
      connection: connection.name,
      mode: agreed.mode,
      inboundSpi,
      outboundSpi: agreed.outboundSpi,
      inbound: seed.asked ? keymat.responder : keymat.initiator,
      outbound: seed.asked ? keymat.initiator : keymat.responder,
      extendedSequenceNumbers: agreed.esp.esn,
      udpEncapsulation: isEncapsulated(sa, agreed.esp),
      path: sa.path,
      localSelectors: agreed.local,
      remoteSelectors: agreed.remote,
      ...(agreed.natOriginal === undefined ? {} : { natOriginal: agreed.natOriginal }),
      lifetime: seconds,
    },
    esp: agreed.esp,
    state: 'up',
    receiveOnly: false,
    confirmed: seed.asked,
    rekeyAt,
    expiresAt,
    refusals: 0,
  };
}

/** In transport mode the ends of the path stand for addresses that a NAT changed (section 2.23.1). */
function throughNat(sa: IkeSa, local: readonly TrafficSelector[], remote: readonly TrafficSelector[]): Selectors {
  return {
    local: sa.nat.local ? atAddress(local, sa.path.local.address) : local,
    remote: sa.nat.remote ? atAddress(remote, sa.path.remote.address) : remote,
  };
}

/** The addresses before that, for the checksums inside (RFC 3948 section 3.1.2). */
function natOriginal(
  sa: IkeSa,
  transport: boolean,
  local: readonly TrafficSelector[],
  remote: readonly TrafficSelector[],
): Pick<AgreedChild, 'natOriginal'> {
  const [here] = local;
  const [there] = remote;
  if (!transport || here === undefined || there === undefined) return {};
  const { path } = sa;
  const changed = here.firstAddress !== path.local.address || there.firstAddress !== path.remote.address;
  return changed ? { natOriginal: { local: here.firstAddress, remote: there.firstAddress } } : {};
}
