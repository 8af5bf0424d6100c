import type { Failure } from '../../protocol/machine.ts';
import type { IpsecConnectionSettings, WorkingOffer } from './ipsec-types.ts';

type Port = WorkingOffer['port'];
type Offer = WorkingOffer['offer'];

export interface AttemptPlanOptions {
  readonly profile: IpsecConnectionSettings['profile'];
  /** The proposals are configured: there is no other list to offer. */
  readonly explicitProposals: boolean;
  readonly encapsulation: IpsecConnectionSettings['encapsulation'];
  /** What worked last time. */
  readonly remembered?: WorkingOffer;
}

/**
 * What the next attempt to call a peer tries: which offer, which port, and whether ESP has to go in UDP. A peer that is
 * silent on port 500 is tried on 4500, one that refuses the proposals gets the other list, and where nothing came back
 * through the channel, ESP goes the other way next time.
 */
export class AttemptPlan {
  readonly #offers: readonly Offer[];
  readonly #always: boolean;
  #offer: Offer;
  #port: Port;
  /** ESP in UDP even without a NAT. */
  #forced: boolean;
  #ephemeral = false;
  /** Attempts in a row that nobody answered. */
  #silences = 0;
  /** Attempts whose proposals the peer refused, since the last that worked. */
  #refusals = 0;
  #remembered: WorkingOffer | undefined;

  constructor({ profile, explicitProposals, encapsulation, remembered }: AttemptPlanOptions) {
    if (profile === 'auto' && !explicitProposals) this.#offers = ['modern', 'legacy'];
    else this.#offers = [profile === 'legacy' && !explicitProposals ? 'legacy' : 'modern'];
    this.#always = encapsulation === 'always';
    const known = remembered !== undefined && this.#offers.includes(remembered.offer);
    this.#remembered = remembered;
    this.#offer = known ? remembered.offer : (this.#offers[0] ?? 'modern');
    this.#port = remembered?.port ?? 500;
    this.#forced = remembered?.udpEncapsulation ?? false;
  }

  /**
   * @param ephemeral ports 500 and 4500 are taken here: a peer can be reached on its port 4500 alone, with ESP in UDP.
   */
  next(ephemeral: boolean): WorkingOffer {
    this.#ephemeral = ephemeral;
    const port = ephemeral ? 4500 : this.#port;
    return { offer: this.#offer, port, udpEncapsulation: this.#forced || this.#always || port === 4500 };
  }

  /** The attempt did not come up. */
  failed(attempt: WorkingOffer, { cause }: Failure): void {
    const ephemeral = this.#ephemeral;
    if (cause !== 'silence') this.#silences = 0;
    if (cause === 'no-proposal') this.#refused();
    if (cause !== 'silence') return;
    this.#silences += 1;
    // Both ports, or the only one there is, have been tried with this offer.
    if (ephemeral || this.#silences % 2 === 0) this.#nextOffer();
    if (!ephemeral) this.#port = attempt.port === 500 ? 4500 : 500;
  }

  /**
   * The channel stood, and nothing ever came back through it.
   * @param encapsulated whether ESP went in UDP, for whatever reason.
   */
  mute(attempt: WorkingOffer, encapsulated: boolean): void {
    if (this.#always) return;
    if (attempt.udpEncapsulation) {
      this.#forced = false;
      this.#port = 500;
    } else if (!encapsulated) this.#forced = true;
  }

  /** The channel is up. @returns what is to be remembered, when that is news. */
  worked(attempt: WorkingOffer): WorkingOffer | undefined {
    this.#silences = 0;
    this.#refusals = 0;
    this.#offer = attempt.offer;
    const { offer, port, udpEncapsulation } = this.#remembered ?? {};
    if (offer === attempt.offer && port === attempt.port && udpEncapsulation === attempt.udpEncapsulation) {
      return undefined;
    }
    this.#remembered = attempt;
    return attempt;
  }

  /** Where no list pleases, it may be the encapsulation that does not, and what was learnt about it is out of date. */
  #refused(): void {
    this.#nextOffer();
    this.#refusals += 1;
    if (this.#refusals % this.#offers.length !== 0) return;
    this.#forced = false;
    this.#port = 500;
  }

  #nextOffer(): void {
    const at = this.#offers.indexOf(this.#offer);
    this.#offer = this.#offers[(at + 1) % this.#offers.length] ?? this.#offer;
  }
}
