/** What the side that begins does in Main Mode and in Aggressive Mode alike: it repeats itself until it is answered. */
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { wipePhase1Keys } from '../crypto/keys-v1.ts';
import type { IkeConnection } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import { reasonPayloads } from './certificate-refusal.ts';
import type { Clues } from './failures.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { deletePayload, sealInformational } from './informational.ts';
import type { NatSituationV1 } from './natd.ts';
import { isakmpNotification } from './notification.ts';
import { NotifyType, PayloadType } from './numbers.ts';
import type { Payload } from './payload.ts';
import { hasInitialContact, type Phase1Context, type Phase1Outcome } from './phase1.ts';
import type { Authentication, Claim } from './phase1-authentication.ts';
import { MessageIds } from './phase2-message.ts';
import { ReplayCache } from './replay-cache.ts';
import { Retransmission } from './retransmit.ts';
import type { PeerVendor } from './vendor-ids.ts';

export interface Phase1InitiatorOptions {
  readonly ikeId: number;
  readonly connection: IkeConnection;
  readonly path: UdpPath;
  /** Asked when the last message is made: whether no other SA with this peer is known, which it then says. */
  readonly initialContact: () => boolean;
  readonly rekeys?: number;
}

/** What the peer's answers gave, once it has proved itself, or failed to. */
export interface Answers {
  readonly cookieR: Uint8Array;
  readonly proposal: IkeProposal;
  /** Agreed, seconds. */
  readonly lifetime: number;
  readonly vendor: PeerVendor;
  readonly nat: NatSituationV1;
  readonly authentication: Authentication;
  readonly claim: Claim;
  /** Those that were authenticated. */
  readonly payloads: readonly Payload[];
}

export abstract class Phase1Initiator {
  readonly initiator = true;
  readonly ikeId: number;
  readonly connection: IkeConnection;
  readonly cookieI: Uint8Array;
  protected readonly context: Phase1Context;
  protected readonly options: Phase1InitiatorOptions;
  protected readonly replay = new ReplayCache();
  protected clues: Clues = {};
  protected currentPath: UdpPath;
  readonly #begunAt: Instant;
  #sent: { readonly name: string; readonly message: Uint8Array; readonly fragments: boolean } | undefined;
  #retransmission: Retransmission;
  #over = false;
  #outcome: Phase1Outcome | undefined;
  #failure: Failure | undefined;

  constructor(now: Instant, context: Phase1Context, options: Phase1InitiatorOptions) {
    this.context = context;
    this.options = options;
    this.ikeId = options.ikeId;
    this.connection = options.connection;
    this.currentPath = options.path;
    this.cookieI = context.random.bytes(COOKIE_OCTETS);
    this.#begunAt = now;
    this.#retransmission = new Retransmission(now);
  }

  abstract get cookieR(): Uint8Array;

  /** Its own Exchange Type. */
  protected abstract get exchangeType(): number;

  /** A message that was not seen before, from the peer's address. @throws DecodeError when it is malformed. */
  protected abstract take(now: Instant, message: ReceivedMessage, path: UdpPath): void;

  /** Why no answer came. */
  protected abstract silence(): Failure;

  /** It is over, well or not. */
  protected abstract clear(): void;

  get path(): UdpPath {
    return this.currentPath;
  }

  get rekeys(): number | undefined {
    return this.options.rekeys;
  }

  get outcome(): Phase1Outcome | undefined {
    return this.#outcome;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  get deadline(): Instant | undefined {
    return this.#over ? undefined : this.#retransmission.deadline;
  }

  /** Nothing encrypted is understood before the SA stands, unless a mode does. */
  informed(_message: ReceivedMessage): boolean {
    return false;
  }

  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    // A NAT may change the port of an answer, never the address that was asked.
    const stranger = path.remote.address !== this.currentPath.remote.address;
    const { messageId, exchangeType } = message.header;
    if (this.#over || messageId !== 0 || exchangeType !== this.exchangeType || stranger) {
      this.context.counters.unexpected += 1;
    } else if (this.replay.recognize(0, message.octets).kind === 'repeated') {
      this.context.counters.duplicate += 1;
    } else this.take(now, message, path);
  }

  tick(now: Instant): void {
    if (this.#over) return;
    const due = this.#retransmission.due(now);
    if (due === 'resend') this.#transmit(' again');
    if (due === 'exhausted') this.fail(this.silence());
  }

  hint(clue: Clues): void {
    this.clues = { ...this.clues, ...clue };
    if (clue.pathError === undefined) this.hurry();
  }

  /** No good answer is to be expected. */
  protected hurry(): void {
    this.#retransmission.hurry();
  }

  protected accepted(message: ReceivedMessage, name: string, reply?: Uint8Array): void {
    this.replay.remember(0, message.octets, reply);
    this.context.outbox.received(this.ikeId, name);
  }

  /** The next message, until it is answered. @param fragments the peer can put them together. */
  protected send(now: Instant, name: string, message: Uint8Array, fragments: boolean): void {
    this.#sent = { name, message, fragments };
    this.#retransmission = new Retransmission(now);
    this.#transmit('');
  }

  #transmit(suffix: string): void {
    if (this.#sent === undefined) return;
    const { name, message, fragments } = this.#sent;
    this.context.outbox.send(this.ikeId, name + suffix, message, this.currentPath, fragments);
  }

  protected outcomeOf(answers: Answers): Phase1Outcome {
    const { cookieR, proposal, lifetime, vendor, nat, authentication, claim, payloads } = answers;
    const { rekeys } = this.options;
    return {
      ikeId: this.ikeId,
      initiator: true,
      begunAt: this.#begunAt,
      connection: this.connection,
      cookieI: this.cookieI,
      cookieR,
      proposal,
      keys: authentication.keys,
      encryptionKey: authentication.encryptionKey,
      lastBlock: authentication.lastBlock,
      path: this.currentPath,
      nat,
      vendor,
      peerIdentity: claim.identity,
      lifetime,
      initialContact: hasInitialContact(payloads),
      replay: this.replay,
      ...(rekeys === undefined ? {} : { rekeys }),
    };
  }

  protected succeed(outcome: Phase1Outcome): void {
    this.#outcome = outcome;
    this.#end();
  }

  protected fail(failure: Failure): void {
    this.#failure = failure;
    this.#end();
  }

  /** For the peer the SA stands, but here it is not believed. */
  protected tellRefused(sa: Phase1Outcome, failure: Failure): void {
    const refusal = { type: PayloadType.notification, body: isakmpNotification(NotifyType.authenticationFailed) };
    const messageId = new MessageIds(this.context.random).fresh();
    const message = sealInformational(sa, messageId, [
      refusal,
      ...reasonPayloads(sa.vendor, failure),
      deletePayload(sa),
    ]);
    const detail = 'AUTHENTICATION-FAILED, DELETE of the ISAKMP SA';
    this.context.outbox.send(this.ikeId, 'Informational', message, this.currentPath, false, detail);
    wipePhase1Keys(sa.keys);
  }

  #end(): void {
    this.#over = true;
    this.clear();
  }
}
