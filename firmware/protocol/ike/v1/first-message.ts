/** What becomes of the first message of somebody who wants an ISAKMP SA. */
import { DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { IkeConnection } from '../ike-types.ts';
import { RateLimit } from '../rate-limit.ts';
import { type Admitted, hasRoomFor, judgeMessage1, knownAt, meantBy } from './admission.ts';
import { AggressiveModeResponder } from './aggressive-mode-responder.ts';
import type { IkeV1Limits } from './endpoint-types.ts';
import { unknownCaller } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import { MainModeResponder } from './main-mode-responder.ts';
import { PayloadType } from './numbers.ts';
import { onlyBody, type Payload } from './payload.ts';
import { type Phase1Context, plainPayloads } from './phase1.ts';
import { claimOf } from './phase1-authentication.ts';
import { phase1Offers } from './phase1-transforms.ts';
import { Refusals } from './refusal.ts';
import type { SaTable } from './sa-table.ts';
import { recognizeVendor } from './vendor-ids.ts';

/** Aggressive Modes that are answered, in a second and at once: each costs a key exchange, and strangers pay nothing for it. */
const AGGRESSIVE_PER_SECOND = 20;
const AGGRESSIVE_BURST = 60;

/** What it needs of the endpoint around it. */
export interface FirstMessagesHost extends Phase1Context {
  readonly limits: IkeV1Limits;
  readonly connections: readonly IkeConnection[];
  freshIkeId(): number;
}

export class FirstMessages {
  readonly #host: FirstMessagesHost;
  readonly #table: SaTable;
  readonly #refusals: Refusals;
  readonly #aggressive = new RateLimit(AGGRESSIVE_PER_SECOND, AGGRESSIVE_BURST);

  constructor(host: FirstMessagesHost, table: SaTable) {
    this.#host = host;
    this.#table = table;
    this.#refusals = new Refusals(host.outbox);
  }

  /** @throws DecodeError when it is malformed. */
  mainMode(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const payloads = payloadsOf(message);
    const known = knownAt(this.#host.connections, path.remote);
    const admitted = this.#admit(now, message, path, payloads, known, 'Main Mode 1');
    if (admitted === undefined) return;
    this.#table.addResponder(new MainModeResponder(now, this.#host, admitted), path.remote);
  }

  /** The same of Aggressive Mode. @throws DecodeError when it is malformed. */
  aggressiveMode(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { counters } = this.#host;
    const known = knownAt(this.#host.connections, path.remote).filter(({ aggressive }) => aggressive === true);
    const [first] = known;
    if (first === undefined) {
      counters.aggressiveMode += 1;
      this.#refusals.aggressiveMode(now, this.#host.freshIkeId(), message, path);
      return;
    }
    const payloads = payloadsOf(message);
    const claim = claimOf(payloads);
    const meant = meantBy(known, claim.identity);
    if (meant.length === 0) {
      counters.refused += 1;
      const failure = unknownCaller(claim.identity);
      this.#refusals.caller(now, this.#host.freshIkeId(), message, path, failure, first.name);
      return;
    }
    const admitted = this.#admit(now, message, path, payloads, meant, 'Aggressive Mode 1');
    if (admitted === undefined) return;
    if (!this.#aggressive.allows(now)) {
      counters.halfOpenLimit += 1;
      return;
    }
    const options = { ...admitted, payloads, claim };
    this.#table.addResponder(new AggressiveModeResponder(now, this.#host, options), path.remote);
  }

  #admit(
    now: Instant,
    message: ReceivedMessage,
    path: UdpPath,
    payloads: readonly Payload[],
    known: readonly IkeConnection[],
    step: string,
  ) {
    const saBody = onlyBody(payloads, PayloadType.sa, 'SA').slice();
    const verdict = judgeMessage1(known, path.remote, payloads, phase1Offers(saBody), step);
    const ikeId = this.#host.freshIkeId();
    if ('failure' in verdict) {
      this.#host.counters.refused += 1;
      const { failure, connection } = verdict;
      this.#refusals.message1(now, ikeId, message, path, failure, connection?.name);
      return undefined;
    }
    // Before anything is spent on whose message it may be.
    if (!this.#hasRoom(path)) return undefined;
    const admitted: Admitted = verdict;
    const vendor = recognizeVendor(this.#host.self, payloads, 'caller');
    return { ikeId, message, saBody, vendor, path, ...admitted };
  }

  #hasRoom(path: UdpPath): boolean {
    const { limits, counters } = this.#host;
    const { ikeSas, ikeSasPerAddress } = limits;
    const full = this.#table.sas.size >= ikeSas || this.#table.countAt(path.remote.address) >= ikeSasPerAddress;
    if (!full && hasRoomFor(this.#table.phase1s.values(), path.remote, limits)) return true;
    counters.halfOpenLimit += 1;
    return false;
  }
}

function payloadsOf(message: ReceivedMessage): readonly Payload[] {
  if (message.header.messageId !== 0) throw new DecodeError('message id in phase 1');
  return plainPayloads(message);
}
