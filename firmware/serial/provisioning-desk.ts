import type { KeyObject } from 'node:crypto';
import type { AccountControl, LoginSession } from '../api/account-control.ts';
import type { CommitRequest, CommitResult } from '../api/configuration-control.ts';
import { problemText } from '../config/problem.ts';
import type { RandomSource } from '../protocol/machine.ts';
import { type BundleContent, openBundle } from '../protocol/provisioning/bundle.ts';
import { CODE_OCTETS, codeFrom, normalCode, publicTextOf } from '../protocol/provisioning/bundle-keys.ts';
import type { TransferResult } from '../protocol/provisioning/frames.ts';
import { errorText } from '../vpn/steps.ts';

/** Wrong codes after which there is none until the router starts anew. */
const MAX_GUESSES = 3;

/** Who a revision is by, where nobody has logged in. */
const NOBODY = 'provisioning';

export interface ProvisioningDeskParts {
  /** X25519: the provisioning key of this router. */
  readonly privateKey: KeyObject;
  /** Ed25519, out of the image. */
  readonly enrolmentKey?: KeyObject;
  readonly random: RandomSource;
  readonly accounts: AccountControl;
  /** Nobody has given this router a configuration yet. */
  readonly isFresh: () => boolean;
  readonly commit: (text: string, fileName: string, request: CommitRequest) => Promise<CommitResult>;
  /** What has become of a bundle: for whoever stands before the router and sees no console. */
  readonly onBundle?: (accepted: boolean) => void;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

/** Judges bundles, and puts in force what is in them. */
export class ProvisioningDesk {
  readonly #parts: ProvisioningDeskParts;
  readonly #code: string;
  #guesses = 0;
  #used = false;

  constructor(parts: ProvisioningDeskParts) {
    this.#parts = parts;
    this.#code = codeFrom(parts.random.bytes(CODE_OCTETS));
  }

  /** As it is shown. */
  get device(): string {
    return publicTextOf(this.#parts.privateKey);
  }

  /** For one bundle, on the console alone; `undefined` when it is spent. */
  get code(): string | undefined {
    return this.#used || this.#guesses >= MAX_GUESSES ? undefined : this.#code;
  }

  /** Words when a bundle is not taken from whoever is at the console. */
  refusal(session: LoginSession | undefined): string | undefined {
    if (this.#parts.isFresh() || session?.role === 'admin') return undefined;
    return 'this router has a configuration: log in on its console as an administrator, and send the bundle again';
  }

  /** Lines for the console, for whoever makes a bundle. */
  words(): readonly string[] {
    return [
      `Provisioning: device key ${this.device}`,
      `Provisioning: code ${this.code ?? 'none until the next start'}`,
    ];
  }

  /** Never throws. What is refused changes nothing. */
  async take(octets: Uint8Array, session: LoginSession | undefined): Promise<TransferResult> {
    const result = await this.#judge(octets, session);
    this.#parts.onBundle?.(result.ok);
    return result;
  }

  async #judge(octets: Uint8Array, session: LoginSession | undefined): Promise<TransferResult> {
    const refusal = this.refusal(session);
    if (refusal !== undefined) return failure(refusal);
    const { privateKey, enrolmentKey } = this.#parts;
    const normal = this.code === undefined ? undefined : normalCode(this.code);
    const opened = openBundle(Buffer.from(octets).toString('utf8'), {
      privateKey,
      ...(enrolmentKey === undefined ? {} : { enrolmentKey }),
      ...(normal === undefined ? {} : { code: normal }),
    });
    if (!opened.ok) {
      this.#parts.log(`a bundle was refused: ${opened.reason}`);
      return failure(opened.guess ? this.#guessed(opened.reason) : opened.reason);
    }
    try {
      const result = await this.#commit(opened.content, session?.user ?? NOBODY);
      // A configuration that is refused can be corrected and sent again.
      if (result.ok && opened.authority === 'code') this.#used = true;
      return result;
    } catch (error) {
      this.#parts.log(`a bundle could not be put in force: ${errorText(error)}`);
      return failure('it could not be put in force: the log of the router says why');
    }
  }

  #guessed(reason: string): string {
    this.#guesses += 1;
    const left = MAX_GUESSES - this.#guesses;
    if (left > 0) return `${reason}: check it on the console, it can be tried ${left === 1 ? 'once' : 'twice'} more`;
    this.#parts.log(`the code of this router was tried ${MAX_GUESSES} times and is void until the next start`);
    return `${reason}, and there is no code any more: start the router anew`;
  }

  async #commit({ configuration, fileName, adminPassword }: BundleContent, who: string): Promise<TransferResult> {
    const result = await this.#parts.commit(configuration, fileName, { who, via: 'provisioning', comment: '' });
    if (!result.ok) {
      if ('reason' in result) return failure(`${result.reason}; ${result.remedy}`);
      return {
        ok: false,
        lines: ['the configuration is refused, and nothing was changed', ...result.problems.map(problemText)],
      };
    }
    const password = adminPassword === undefined ? [] : [await this.#setPassword(adminPassword)];
    const warnings = [...result.warnings, ...result.failures].map((line) => `warning: ${line}`);
    return { ok: true, lines: [`revision ${result.revision} is in force`, ...password, ...warnings] };
  }

  /** In place of the initial one; a password that somebody has chosen stays. */
  async #setPassword(next: string): Promise<string> {
    const { accounts } = this.#parts;
    const initial = accounts.initialPassword();
    if (initial === undefined) return 'warning: the router has users, and the password of each stays';
    const login = await accounts.login({ user: 'admin', password: initial, from: 'console' });
    if (!login.ok) return 'warning: the password of admin could not be set: log in with the initial one';
    const refusal = await accounts.changePassword(login.session.token, initial, next);
    await accounts.logout(login.session.token);
    return refusal === undefined
      ? 'the password of admin is set'
      : `warning: the password of admin is not set: ${refusal}`;
  }
}

function failure(reason: string): TransferResult {
  return { ok: false, lines: [reason] };
}
