/** Quick Mode, the side that is asked (RFC 2409 section 5.5). */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import { createKeyExchange } from '../crypto/dh.ts';
import { hash2, hash3 } from '../crypto/keys-v1.ts';
import { ahThroughNat } from '../nat.ts';
import { noEspProposal } from '../no-proposal.ts';
import { withSuggestedEspProfile } from '../profiles/suggestion.ts';
import { chooseEspProposal, type EspProposal, isForAh } from '../proposals.ts';
import { modeRefused, quickModeMalformed } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import { agreedLifetime, DEFAULT_CHILD_LIFETIME } from './lifetimes.ts';
import { NotifyType } from './numbers.ts';
import type { Payload } from './payload.ts';
import { NONCE_OCTETS } from './phase1.ts';
import type { Phase2Messages } from './phase2-message.ts';
import { chosenEspProposal, encapsulationModes, type Phase2Offer, phase2Offers } from './phase2-transforms.ts';
import {
  type AgreedChild,
  childKeys,
  decodeContent,
  encodeContent,
  originalAddresses,
  ownNatOriginal,
  type QuickMode,
  type QuickModeContent,
  type QuickModeContext,
} from './quick-mode.ts';
import { selectorsFor } from './quick-mode-selectors.ts';
import { Retransmission } from './retransmit.ts';
import { encodeSa } from './sa-payload.ts';

/** A Quick Mode that is not to be: what the peer is told, and what a person is. */
export interface RefusedQuickMode {
  /** Notify Message Type. */
  readonly notify: number;
  readonly failure: Failure;
}

interface Judged {
  readonly agreed: AgreedChild;
  readonly nonceR: Uint8Array;
  readonly reply: readonly Payload[];
}

/**
 * Message 1, which is genuine: to be answered with message 2, or refused.
 * @param payloads behind the HASH.
 */
export function answerQuickMode(
  now: Instant,
  context: QuickModeContext,
  messages: Phase2Messages,
  request: ReceivedMessage,
  payloads: readonly Payload[],
): QuickModeResponder | RefusedQuickMode {
  try {
    const content = decodeContent(payloads);
    const judged = judge(context, content);
    if ('notify' in judged) return judged;
    return new QuickModeResponder(now, context, messages, request, content.nonce, judged);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const failure = quickModeMalformed(`the peer's Quick Mode is malformed (${error.message})`);
    return { notify: NotifyType.invalidIdInformation, failure };
  }
}

export class QuickModeResponder implements QuickMode {
  readonly initiator = false;
  readonly #context: QuickModeContext;
  readonly #messages: Phase2Messages;
  readonly #nonceI: Uint8Array;
  readonly #judged: Judged;
  readonly #message2: Uint8Array;
  readonly #retransmission: Retransmission;
  #over = false;
  #agreed: AgreedChild | undefined;
  /** Id of the child SA that it has made already, to receive on. */
  prepared: number | undefined;

  constructor(
    now: Instant,
    context: QuickModeContext,
    messages: Phase2Messages,
    request: ReceivedMessage,
    nonceI: Uint8Array,
    judged: Judged,
  ) {
    const { sa } = context;
    const { messageId } = messages;
    this.#context = context;
    this.#messages = messages;
    this.#nonceI = nonceI;
    this.#judged = judged;
    this.#message2 = messages.seal(judged.reply, (covered) =>
      hash2(sa.proposal.prf, sa.keys.skeyidA, messageId, nonceI, covered),
    );
    this.#retransmission = new Retransmission(now);
    context.remember(messageId, request.octets, this.#message2);
  }

  /** Sends message 2: from then on the peer may send on the child SA. */
  answer(): void {
    this.#context.send('Quick Mode 2', this.#message2);
  }

  get deadline(): Instant | undefined {
    return this.#over ? undefined : this.#retransmission.deadline;
  }

  get over(): boolean {
    return this.#over;
  }

  get agreed(): AgreedChild | undefined {
    return this.#agreed;
  }

  /** What comes of it once message 3 is there. */
  get expected(): AgreedChild {
    return this.#judged.agreed;
  }

  /** The peer sends on it: message 3 is not needed any more. */
  confirm(): void {
    this.#over = true;
    this.#agreed = this.#judged.agreed;
  }

  /** A peer that does not want it any more says nothing: that is no failure. */
  get failure(): undefined {
    return undefined;
  }

  receive(_now: Instant, message: ReceivedMessage): boolean {
    const { sa } = this.#context;
    const { messageId } = this.#messages;
    const payloads = this.#messages.open(message, () =>
      hash3(sa.proposal.prf, sa.keys.skeyidA, messageId, this.#nonceI, this.#judged.nonceR),
    );
    if (payloads === undefined) return false;
    this.#context.received('Quick Mode 3');
    this.#context.remember(messageId, message.octets);
    this.confirm();
    return true;
  }

  tick(now: Instant): void {
    if (this.#over) return;
    const due = this.#retransmission.due(now);
    if (due === 'resend') this.#context.send('Quick Mode 2 again', this.#message2);
    if (due !== 'exhausted') return;
    this.#over = true;
    // Message 3 may have been lost, and the peer sends on an SA that is none.
    this.#context.deleteChildren([this.#judged.agreed.inboundSpi]);
  }
}

function judge(context: QuickModeContext, content: QuickModeContent): Judged | RefusedQuickMode {
  const { sa, path } = context;
  const { connection, nat } = sa;
  const ids = content.ids === undefined ? undefined : { local: content.ids[1], remote: content.ids[0] };
  // First the proposal: whoever is set to another mode asks for other selectors, too.
  const chosen = chooseOffer(context, phase2Offers(content.saBody));
  if ('notify' in chosen) return chosen;
  const selectors = selectorsFor(connection, ids, path, nat);
  if ('step' in selectors) return { notify: NotifyType.invalidIdInformation, failure: selectors };
  const { offer, esp } = chosen;
  const nonceR = context.random.bytes(NONCE_OCTETS);
  const keyExchange = exchangeKeys(context, esp, content.publicValue);
  const spis = { inboundSpi: context.freshSpi(), outboundSpi: offer.spi };
  const sharedSecret = keyExchange?.sharedSecret;
  const seed = { nonceI: content.nonce, nonceR, ...(sharedSecret && { sharedSecret }) };
  const natOriginal = originalAddresses(context, false, content.natOriginal);
  const agreed: AgreedChild = {
    initiator: false,
    esp,
    ...spis,
    ...childKeys(sa, esp, seed, spis),
    selectors,
    ...(ids === undefined ? {} : { ids }),
    ...(natOriginal === undefined ? {} : { natOriginal }),
    lifetime: agreedLifetime(connection.childLifetime ?? DEFAULT_CHILD_LIFETIME, offer.lifetime),
  };
  const reply = encodeContent(
    {
      saBody: encodeSa([chosenEspProposal(offer, spis.inboundSpi)]),
      nonce: nonceR,
      ...(keyExchange === undefined ? {} : { publicValue: keyExchange.publicValue }),
      ...(content.ids === undefined ? {} : { ids: content.ids }),
      natOriginal: ownNatOriginal(context, false),
    },
    nat.traversal === 'draft',
  );
  return { agreed, nonceR, reply };
}

function chooseOffer(
  { sa: { connection, nat, vendor } }: QuickModeContext,
  offers: readonly Phase2Offer[],
): { readonly offer: Phase2Offer; readonly esp: EspProposal } | RefusedQuickMode {
  const notify = NotifyType.noProposalChosen;
  const ah = isForAh(connection.espProposals);
  if (ah && (nat.local || nat.remote)) return { notify, failure: ahThroughNat('Quick Mode 1', nat) };
  const modes = encapsulationModes(connection.mode, nat, connection.espProposals);
  const inMode = offers.filter(({ mode }) => modes.accepted.includes(mode));
  if (offers.length > 0 && inMode.length === 0) {
    return { notify, failure: modeRefused(connection.mode, ah ? 'AH' : 'ESP', nat.encapsulation !== undefined && !ah) };
  }
  const offered = inMode.map(({ offer }) => offer);
  const choice = chooseEspProposal(offered, connection.espProposals, { version: 1 });
  const offer = choice === undefined ? undefined : inMode[choice.index];
  if (choice === undefined || offer === undefined) {
    const failure = noEspProposal('Quick Mode 1', offered, connection.espProposals, { version: 1 });
    // Profiles have no AH.
    return { notify, failure: ah ? failure : withSuggestedEspProfile(failure, 1, vendor.looksLike, offered) };
  }
  return { offer, esp: choice.proposal };
}

function exchangeKeys(
  { random }: QuickModeContext,
  { group }: EspProposal,
  peerPublic: Uint8Array | undefined,
): { readonly publicValue: Uint8Array; readonly sharedSecret: Uint8Array } | undefined {
  if (group === undefined) return undefined;
  if (peerPublic === undefined) throw new DecodeError('no public value although PFS was chosen');
  const exchange = createKeyExchange(group, random);
  try {
    return { publicValue: exchange.publicValue, sharedSecret: exchange.sharedSecret(peerPublic) };
  } finally {
    exchange.destroy();
  }
}
