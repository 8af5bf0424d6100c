/** How the ends of a PPP link in a capture prove who they are: PAP, CHAP in its kinds, EAP. */
import { utf8Bytes } from '../../protocol/bytes.ts';
import { refusedFailure } from '../../protocol/ppp/authentication.ts';
import type { PppAuthentication } from '../../protocol/ppp/link-types.ts';
import { explainFailure } from '../../protocol/ppp/mschapv2.ts';
import type { DecodedMessage } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { type Speaker, secondsBetween, textOf } from './fields.ts';

/** A verdict may take so long, ms. */
const PATIENCE_MS = 3000;

const METHODS: readonly (readonly [RegExp, PppAuthentication])[] = [
  [/MS-?CHAP-?v?2/i, 'mschapv2'],
  [/MS-?CHAP/i, 'mschapv1'],
  [/CHAP/i, 'chap'],
  [/EAP/i, 'eap'],
];

export class PppProof {
  readonly #notes: Notes;
  /** What either end last demanded of the other one. */
  readonly #demands: Partial<Record<Speaker, string>> = {};
  #refusal: { readonly demanded: string; readonly wish: string | undefined } | undefined;
  #user: string | undefined;
  #provedAs = '';
  #askedAt: number | undefined;
  #attempts = 0;
  #done = false;
  /** A verdict was no. */
  failed = false;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  get demanded(): boolean {
    return Object.keys(this.#demands).length > 0;
  }

  /** Nothing is to be waited for. */
  get complete(): boolean {
    return this.#done || !this.demanded;
  }

  get refused(): boolean {
    return this.#refusal !== undefined;
  }

  /** Who waits for a verdict. */
  get pendingUser(): string | undefined {
    return this.#user;
  }

  /** @param title of the protocol that this end asks the other one to prove itself with; absent: none */
  demand(by: Speaker, title: string | undefined): void {
    if (title === undefined) delete this.#demands[by];
    else this.#demands[by] = title;
  }

  /** @param wish what that end would do instead */
  refuse(by: Speaker, wish: string | undefined): void {
    const demanded = this.#demands[by === 'client' ? 'server' : 'client'];
    if (demanded !== undefined) this.#refusal = { demanded, wish };
  }

  /** LCP begins anew, and with it this. */
  renegotiated(): void {
    this.#done = false;
    this.#user = undefined;
  }

  /** @returns whether the verdict is yes. */
  receive(message: DecodedMessage): boolean {
    const { fields, protocol, time, frame } = message;
    const verdict = textOf(fields, 'authentication');
    if (verdict !== '') this.#notes.seen('ppp-authentication', `${verdict} (frame ${frame})`);
    if (verdict.startsWith("server's proof: wrong")) {
      this.failed = true;
      this.#notes.sign('server-unproved', `${verdict} at frame ${frame}`);
    }
    this.#askedAt ??= time;
    switch (`${protocol} ${textOf(fields, 'code')}`) {
      case 'ppp-pap Authenticate-Request':
        this.#proves(textOf(fields, 'peerId'));
        return false;
      case 'ppp-chap Response':
        this.#proves(textOf(fields, 'name'));
        return false;
      case 'ppp-eap Response':
        if (textOf(fields, 'type') === 'Identity') this.#provedAs = textOf(fields, 'identity');
        this.#proves(this.#provedAs);
        if (textOf(fields, 'type') === 'Nak') this.#notes.seen('ppp-authentication', `EAP ${message.summary}`);
        return false;
      case 'ppp-pap Authenticate-Ack':
      case 'ppp-chap Success':
      case 'ppp-eap Success':
        return this.#accepted(frame);
      case 'ppp-pap Authenticate-Nak':
      case 'ppp-chap Failure':
      case 'ppp-eap Failure':
        this.#rejected(protocol, textOf(fields, 'message'));
        return false;
      default:
        return false;
    }
  }

  /** The link ends, or the capture does. */
  end(now: number): void {
    if (this.failed) return;
    if (this.#refusal !== undefined) {
      const { demanded, wish } = this.#refusal;
      const instead = wish === undefined ? 'refuses to prove itself at all' : `would only do ${wish}`;
      this.failed = true;
      this.#notes.sign('auth-protocol-refused', `one end demands ${demanded}, and the other one ${instead}`);
    } else if (this.#askedAt !== undefined && (now - this.#askedAt >= PATIENCE_MS || this.#attempts > 2)) {
      const seconds = secondsBetween(this.#askedAt, now);
      const who = this.#user === undefined ? '' : ` of user ${this.#user}`;
      this.failed = true;
      this.#notes.sign('radius-silent', `there is no verdict on the proof${who} ${seconds} s after it was asked for`);
    }
  }

  #proves(user: string): void {
    this.#user = user;
    this.#provedAs = user;
    this.#attempts += 1;
  }

  #accepted(frame: number): boolean {
    this.#done = true;
    this.#user = undefined;
    this.#notes.ok('ppp-authentication', `user ${this.#provedAs} was accepted at frame ${frame}`);
    return true;
  }

  #rejected(protocol: string, message: string): void {
    const user = this.#provedAs;
    this.#user = undefined;
    this.failed = true;
    const said = message === '' ? '' : `: "${message}"`;
    if (protocol === 'ppp-pap') this.#notes.failure(refusedFailure('pap', user, said));
    else if (protocol === 'ppp-eap') this.#notes.failure(refusedFailure('eap', user, said));
    else if (this.#method() === 'chap') this.#notes.failure(refusedFailure('chap', user, said));
    else this.#notes.failure(explainFailure(user, utf8Bytes(message), this.#method()));
  }

  #method(): PppAuthentication {
    const title = Object.values(this.#demands).join(' ');
    return METHODS.find(([pattern]) => pattern.test(title))?.[1] ?? 'mschapv2';
  }
}
