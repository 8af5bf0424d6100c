/**
 * Further child SAs, where the peer takes fewer networks into one than were offered (RFC 7296 section 2.9): Libreswan, for
 * one, has a pair of networks in each.
 */
import type { Instant } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import type { TrafficSelector } from '../ike-types.ts';
import {
  type AgreedChild,
  askForChild,
  askPayloads,
  type ChildAsk,
  makeChild,
  readChildAnswer,
} from './child-negotiation.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { FollowUpKe, type FollowUpResult, linkOf } from './follow-up.ts';
import type { IkeSa } from './ike-sa.ts';
import { spiDelete } from './informational.ts';
import { NONCE_OCTETS } from './init-exchange.ts';
import { find, type Payload } from './payload.ts';
import { finishKe, kePayload } from './pfs.ts';
import { narrow } from './traffic-selector.ts';

interface SelectorPair {
  readonly local: TrafficSelector;
  readonly remote: TrafficSelector;
}

/** Asks for what of the networks no child has yet. */
export function askForRest(sa: IkeSa, ask: ChildAsk, agreed: AgreedChild): void {
  if (ask.mode !== 'tunnel') return;
  // Half of what an IKE SA may hold: each of them is there twice while it is being replaced.
  const room = Math.floor(sa.host.limits.childrenPerIkeSa / 2) - 1;
  for (const pair of pairsLeftOut(ask, agreed).slice(0, room)) sa.window.add(new FurtherChild(pair));
}

/** What was narrowed is taken as it is; a pair is left out when nothing of it is in. */
function pairsLeftOut(ask: ChildAsk, agreed: AgreedChild): readonly SelectorPair[] {
  return ask.local.flatMap((local) =>
    ask.remote
      .filter((remote) => remote.firstAddress.includes(':') === local.firstAddress.includes(':'))
      .filter((remote) => narrow([local], agreed.local).length === 0 || narrow([remote], agreed.remote).length === 0)
      .map((remote) => ({ local, remote })),
  );
}

class FurtherChild implements Exchange {
  readonly name = 'CREATE_CHILD_SA';
  readonly duty = 'child';
  readonly #pair: SelectorPair;
  #ask: ChildAsk | undefined;
  #nonce: Uint8Array = new Uint8Array(0);
  #exchange: KeyExchange | undefined;

  constructor(pair: SelectorPair) {
    this.#pair = pair;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    if (!sa.established) return undefined;
    const { local, remote } = this.#pair;
    const ask = { ...askForChild(sa, true), local: [local], remote: [remote] };
    const group = ask.proposals[0]?.group;
    this.#ask = ask;
    this.#nonce = sa.host.random.bytes(NONCE_OCTETS);
    this.#exchange = group === undefined ? undefined : createKeyExchange(group, sa.host.random);
    const nonce = { kind: 'Nonce', data: this.#nonce } as const;
    return askPayloads(ask, this.#exchange === undefined ? [nonce] : [nonce, kePayload(this.#exchange)]);
  }

  /** A refusal is no reason to be without the others: it is said, and that is all. */
  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const ask = this.#ask;
    if (ask === undefined) return DONE;
    const exchange = this.#exchange;
    const agreed = readChildAnswer(sa, 'CREATE_CHILD_SA', ask, payloads);
    const nonceR = find(payloads, 'Nonce')?.data.slice();
    const secret = exchange === undefined ? undefined : finishKe(exchange, find(payloads, 'KE'));
    if ('failure' in agreed) {
      sa.note('CREATE_CHILD_SA', `no child SA for further networks: ${agreed.failure.reason}`);
      return DONE;
    }
    const { group, additional } = agreed.esp;
    const link = additional === undefined ? undefined : linkOf(payloads);
    const unlinked = additional !== undefined && link === undefined;
    if (
      nonceR === undefined ||
      unlinked ||
      (group !== undefined && (secret === undefined || group !== exchange?.group))
    ) {
      sa.note('CREATE_CHILD_SA', 'the peer gave an incomplete answer for further networks');
      sa.window.add(spiDelete(ask));
      return DONE;
    }
    const shared = group === undefined || secret === undefined ? {} : { sharedSecret: secret };
    const seed = { nonceI: this.#nonce, nonceR, ...shared, asked: true };
    if (additional === undefined || link === undefined) sa.install(makeChild(now, sa, agreed, ask.spi, seed));
    else {
      const conclude = (at: Instant, { secret: additionalSecret }: FollowUpResult) => {
        if (additionalSecret === undefined) {
          sa.note('IKE_FOLLOWUP_KE', 'no child SA for further networks: the peer did not go on');
          sa.window.add(spiDelete(ask));
        } else if (sa.established) sa.install(makeChild(at, sa, agreed, ask.spi, { ...seed, additionalSecret }));
      };
      sa.window.addFirst(new FollowUpKe(this, additional, link, conclude));
    }
    return DONE;
  }

  unanswered(): void {
    this.#exchange?.destroy();
  }
}
