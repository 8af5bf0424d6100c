import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import { earliest } from '../../protocol/ppp/deadlines.ts';
import { PppLink } from '../../protocol/ppp/link.ts';
import type { PppOutput } from '../../protocol/ppp/link-types.ts';
import { Backoff } from '../../vpn/backoff.ts';
import type { ConnectionState } from '../../vpn/steps.ts';
import type {
  LinkAgreement,
  PppNetwork,
  PppUplinkOptions,
  PppUplinkOutput,
  PppUplinkStatus,
  StandingLine,
} from './ppp-uplink-types.ts';

/** How long a link must have stood for the next failure to count as the first one, ms. */
const STABLE_MS = 10_000;

/** A peer that is silent for some 20 s is dead, and no sooner one that only lost a few echoes. */
const DEFAULT_ECHO = { intervalMs: 5_000, failures: 4 };

/** Steps at which the other side answered and said no: insisting quickly may lock the account. */
const REFUSALS = new Set(['authentication', 'IPCP']);

const STOPPED: Failure = { step: 'disconnect', reason: 'disconnected on request', remedy: 'connect again when wanted' };

type State =
  /** Nobody wants the link. */
  | { readonly kind: 'idle' }
  /** The last attempt failed; the next one is due. */
  | { readonly kind: 'waiting'; readonly until: Instant }
  /** A line is being brought about; `unwanted`: or got rid of again. */
  | { readonly kind: 'dialling'; readonly unwanted: boolean }
  /** PPP runs on a line. */
  | { readonly kind: 'talking'; readonly line: StandingLine; readonly ppp: PppLink }
  /** The line is being ended. @param failure why; absent: nobody wanted it any more. */
  | { readonly kind: 'hanging-up'; readonly failure?: Failure };

/**
 * An uplink with PPP: dials a line, speaks PPP on it as the client, and dials again for ever with jittered back-off. Without
 * hands: the driver in `ppp-uplink.ts` gives it lines, a device and a clock.
 */
export class PppUplinkMachine implements Machine<PppUplinkOutput> {
  readonly #options: PppUplinkOptions;
  readonly #random: RandomSource;
  readonly #backoff: Backoff;
  readonly #outputs: PppUplinkOutput[] = [];
  #state: State = { kind: 'idle' };
  #wanted = false;
  #shown: ConnectionState = 'down';
  #failure: Failure | undefined;
  #doing = '';
  #link: LinkAgreement | undefined;
  #network: PppNetwork | undefined;
  /** Since when the network stands. */
  #upSince: Instant | undefined;

  constructor(options: PppUplinkOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    this.#backoff = new Backoff(random);
  }

  get status(): PppUplinkStatus {
    const line = this.#state.kind === 'talking' ? this.#state : undefined;
    const authentication = line?.ppp.view.authentication;
    return {
      state: this.#shown,
      carrier: line !== undefined,
      doing: this.#doing,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      ...(line === undefined ? {} : { peer: line.line.peer }),
      ...(authentication === undefined ? {} : { authentication }),
    };
  }

  /** What IPCP brought, while the network is up or about to be. */
  get network(): PppNetwork | undefined {
    return this.#network;
  }

  /** Dials now, also out of a back-off; while the line is being ended, once that is done. Harmless otherwise. */
  start(now: Instant): void {
    this.#wanted = true;
    if (this.#state.kind === 'idle' || this.#state.kind === 'waiting') this.#dial();
    else if (this.#shown === 'down') this.#show('connecting', 'ending the last connection first');
    this.#drain(now);
  }

  /** LCP Terminate-Request, then the line is ended; nothing is dialled until `start`. */
  stop(now: Instant): void {
    const wasWanted = this.#wanted;
    this.#wanted = false;
    this.#failure = undefined;
    const state = this.#state;
    if (state.kind === 'idle' || state.kind === 'waiting') {
      this.#rest(wasWanted);
    } else if (state.kind === 'dialling') {
      if (!state.unwanted) this.#outputs.push({ kind: 'cancel-dial' });
      this.#state = { kind: 'dialling', unwanted: true };
      this.#show('down', '');
    } else {
      if (state.kind === 'talking') state.ppp.close(now, STOPPED);
      this.#show('down', '');
    }
    this.#drain(now);
  }

  /** What it is built on has come back: an attempt that waits is made at once. */
  parentReturned(now: Instant): void {
    if (this.#state.kind !== 'waiting') return;
    this.#backoff.reset();
    this.#dial();
    this.#drain(now);
  }

  /** The line that was asked for stands. Frames of it may come in from now on. */
  dialled(now: Instant, line: StandingLine): void {
    const state = this.#state;
    if (state.kind !== 'dialling') return;
    if (state.unwanted) {
      this.#hangUp(undefined);
    } else {
      const { authenticatee, mtu = line.mru, echo = DEFAULT_ECHO } = this.#options;
      const mru = Math.min(mtu, line.mru);
      const ppp = new PppLink(
        {
          medium: line.medium,
          mru,
          mtu: mru,
          echo,
          ...(authenticatee === undefined ? {} : { authenticatee }),
          ipcp: { role: 'client', requestDns: true },
        },
        this.#random,
      );
      this.#state = { kind: 'talking', line, ppp };
      this.#outputs.push({ kind: 'step', step: 'line', detail: `connected to ${line.peer}` });
      this.#show('connecting', `negotiating PPP with ${line.peer}`);
      ppp.start(now);
    }
    this.#drain(now);
  }

  /** There is no line, and nothing left of the attempt. */
  dialFailed(now: Instant, failure: Failure): void {
    const state = this.#state;
    if (state.kind !== 'dialling') return;
    if (!state.unwanted) this.#wait(now, failure);
    else if (this.#wanted) this.#dial();
    else this.#rest(true);
    this.#drain(now);
  }

  /** A bare PPP frame from the line. */
  receiveFrame(now: Instant, frame: Uint8Array): void {
    if (this.#state.kind === 'talking') this.#state.ppp.receive(now, frame);
    this.#drain(now);
  }

  /** User packets came in: the peer lives. */
  dataReceived(now: Instant): void {
    if (this.#state.kind === 'talking') this.#state.ppp.dataReceived(now);
    this.#drain(now);
  }

  /** The line has ended by itself: nothing passes any more. */
  lineEnded(now: Instant, failure: Failure): void {
    // What PPP itself has found out before is the better reason.
    if (this.#state.kind === 'talking') this.#state.ppp.abort(now, failure);
    this.#drain(now);
  }

  /** The device that was asked for stands. */
  networkStands(now: Instant): void {
    if (this.#network === undefined) return;
    this.#upSince ??= now;
    this.#failure = undefined;
    this.#show('up', '');
    this.#drain(now);
  }

  /** Something outside the protocols failed: ends the attempt with that reason. */
  fail(now: Instant, failure: Failure): void {
    if (this.#state.kind === 'talking') this.#over(now, failure);
    this.#drain(now);
  }

  /** Nothing is left of the line. */
  hungUp(now: Instant): void {
    const state = this.#state;
    if (state.kind !== 'hanging-up') return;
    if (!this.#wanted) this.#rest(true);
    else if (state.failure === undefined) this.#dial();
    else this.#wait(now, state.failure);
    this.#drain(now);
  }

  tick(now: Instant): void {
    const state = this.#state;
    if (state.kind === 'waiting' && now >= state.until) this.#dial();
    else if (state.kind === 'talking') state.ppp.tick(now);
    this.#drain(now);
  }

  nextDeadline(): Instant | undefined {
    const state = this.#state;
    if (state.kind === 'waiting') return state.until;
    return state.kind === 'talking' ? earliest(state.ppp.nextDeadline()) : undefined;
  }

  poll(): PppUplinkOutput | undefined {
    return this.#outputs.shift();
  }

  /** Takes what PPP wants done. */
  #drain(now: Instant): void {
    for (;;) {
      const output = this.#state.kind === 'talking' ? this.#state.ppp.poll() : undefined;
      if (output === undefined) return;
      this.#onPpp(now, output);
    }
  }

  #onPpp(now: Instant, output: PppOutput): void {
    switch (output.kind) {
      case 'send':
        this.#outputs.push({ kind: 'ppp-send', frame: output.frame });
        break;
      case 'trace':
        this.#step(`${output.protocol} ${output.message}`, undefined, output.direction);
        break;
      case 'notice':
        this.#step(`${output.protocol} notice`, output.text);
        break;
      case 'phase':
        if (output.phase === 'authenticate') this.#show('connecting', 'logging in');
        else if (output.phase === 'network') this.#show('connecting', 'asking for an address');
        break;
      case 'link-up': {
        const { kind: _, ...link } = output;
        this.#link = link;
        this.#outputs.push({ kind: 'link', link });
        break;
      }
      case 'network-up': {
        const { localAddress, peerAddress, dns } = output;
        if (this.#link === undefined) break;
        this.#network = { localAddress, peerAddress, dns };
        this.#outputs.push({ kind: 'network-up', network: this.#network, link: this.#link });
        break;
      }
      case 'network-down':
        this.#networkDown();
        break;
      case 'down':
        this.#over(now, output.failure);
        break;
      default:
        break;
    }
  }

  #networkDown(): void {
    if (this.#network === undefined) return;
    this.#network = undefined;
    this.#outputs.push({ kind: 'network-down' });
    if (this.#wanted) this.#show('connecting', 'negotiating PPP anew');
  }

  /** PPP has ended, or must. */
  #over(now: Instant, failure: Failure): void {
    this.#networkDown();
    // A peer that takes every call and drops it soon after must not be called twice a second.
    if (this.#upSince !== undefined && now - this.#upSince >= STABLE_MS) this.#backoff.reset();
    this.#upSince = undefined;
    this.#hangUp(this.#wanted && failure !== STOPPED ? failure : undefined);
  }

  #hangUp(failure: Failure | undefined): void {
    this.#link = undefined;
    this.#state = { kind: 'hanging-up', ...(failure === undefined ? {} : { failure }) };
    if (failure !== undefined) {
      this.#failure = failure;
      this.#show('failed', 'hanging up');
    }
    this.#outputs.push({ kind: 'hang-up' });
  }

  #dial(): void {
    this.#state = { kind: 'dialling', unwanted: false };
    this.#show('connecting', 'dialling');
    this.#outputs.push({ kind: 'dial' });
  }

  #wait(now: Instant, failure: Failure): void {
    const wait = this.#backoff.next(failure.cause === 'refused' || REFUSALS.has(failure.step));
    this.#failure = failure;
    this.#state = { kind: 'waiting', until: now + wait };
    this.#show('failed', 'waiting before it dials again');
  }

  #rest(ended: boolean): void {
    this.#state = { kind: 'idle' };
    this.#show('down', '');
    if (ended) this.#outputs.push({ kind: 'ended' });
  }

  #step(step: string, detail: string | undefined, direction?: 'sent' | 'received'): void {
    this.#outputs.push({
      kind: 'step',
      step,
      ...(detail === undefined ? {} : { detail }),
      ...(direction === undefined ? {} : { direction }),
    });
  }

  #show(state: ConnectionState, doing: string): void {
    this.#shown = state;
    this.#doing = doing;
    this.#outputs.push({ kind: 'changed' });
  }
}
