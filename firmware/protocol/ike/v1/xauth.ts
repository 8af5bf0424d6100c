/** What a server may ask of a user (draft-beaulieu-ike-xauth-02), and what is answered. */
import { utf8Bytes } from '../../bytes.ts';
import type { Failure } from '../../machine.ts';
import { printable } from '../../printable.ts';
import type { IkeConnection } from '../ike-types.ts';
import { type ConfigAttribute, numberIn, shortAttribute } from './attribute-payload.ts';
import { loginNotConfigured, loginRefused, loginUnsupported } from './login-failures.ts';
import { XauthAttribute as Attribute } from './numbers.ts';

/** XAUTH-TYPE: Generic, user and password as they are; the others want something to be computed or read somewhere. */
const GENERIC = 0;
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'RADIUS-CHAP'],
  [2, 'OTP'],
  [3, 'S/KEY'],
]);

const NOT_CONFIGURED: ReadonlyMap<number, string> = new Map([
  [Attribute.nextPin, 'a new PIN'],
  [Attribute.answer, 'an answer to a question'],
]);

const KNOWN: ReadonlySet<number> = new Set(Object.values(Attribute));

/** Longest message of a server that is shown, in characters. */
const MAX_MESSAGE = 200;

export function isXauth(attributes: readonly ConfigAttribute[]): boolean {
  return attributes.some(({ type }) => KNOWN.has(type));
}

/** What a server wants a person to read; empty when nothing. Safe to print. */
export function messageIn(attributes: readonly ConfigAttribute[]): string {
  const text = attributes.find(({ type }) => type === Attribute.message)?.value;
  return text === undefined ? '' : printable(text).slice(0, MAX_MESSAGE);
}

/** 1: the login succeeded; 0: it did not; `undefined`: it is not about that. */
export function statusIn(attributes: readonly ConfigAttribute[]): number | undefined {
  return numberIn(attributes, Attribute.status);
}

/** Says that the login failed, or did not. */
export function statusAttribute(status: number): ConfigAttribute {
  return shortAttribute(Attribute.status, status);
}

/** One login: a password goes out once, and a server that asks again did not like it. */
export class XauthLogin {
  readonly #login: IkeConnection['xauth'];
  readonly #answered = new Set<number>();

  constructor({ xauth }: IkeConnection) {
    this.#login = xauth;
  }

  /** What is answered to a server that asks, or why nothing can be. */
  answer(asked: readonly ConfigAttribute[]): readonly ConfigAttribute[] | Failure {
    const message = messageIn(asked);
    if (this.#login === undefined) return loginNotConfigured(message);
    const kind = numberIn(asked, Attribute.type) ?? GENERIC;
    if (kind !== GENERIC) return loginUnsupported(`a login of type ${TYPE_NAMES.get(kind) ?? kind}`, message);
    const answers: ConfigAttribute[] = [];
    for (const { type, short } of asked) {
      const unknown = NOT_CONFIGURED.get(type);
      if (unknown !== undefined) return loginUnsupported(unknown, message);
      const value = this.#valueOf(type, this.#login);
      if (value === undefined) continue;
      if (value.length > 0 && this.#answered.has(type)) return loginRefused(this.#login.user, message);
      this.#answered.add(type);
      answers.push({ type, value, ...(short === true ? { short } : {}) });
    }
    return answers;
  }

  /** The server is content: it may ask again, after a rekey, say. */
  succeeded(): void {
    this.#answered.clear();
  }

  /** @param status of the server. */
  refused(attributes: readonly ConfigAttribute[]): Failure {
    const message = messageIn(attributes);
    return this.#login === undefined ? loginNotConfigured(message) : loginRefused(this.#login.user, message);
  }

  #valueOf(type: number, { user, password }: NonNullable<IkeConnection['xauth']>): Uint8Array | undefined {
    switch (type) {
      case Attribute.type:
        return new Uint8Array(2);
      case Attribute.userName:
        return utf8Bytes(user);
      // Where a token shows it, it is a passcode; where it does not, some servers call it one all the same.
      case Attribute.userPassword:
      case Attribute.passcode:
        return utf8Bytes(password);
      case Attribute.domain:
        return new Uint8Array(0);
      default:
        return undefined;
    }
  }
}
