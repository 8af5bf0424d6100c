import type { SessionKey } from '../../dataplane/data-plane.ts';
import type { RadiusAttribute } from '../../protocol/radius/attribute-value.ts';
import type { RadiusClientOptions, RadiusServerView } from '../../protocol/radius/client-types.ts';
import { type NasIdentity, nasAttributes } from './nas.ts';
import { type RadiusResult, RadiusService, type RadiusServices } from './radius-service.ts';
import { SessionAccountant } from './session-accountant.ts';

export interface RadiusDeskOptions {
  readonly client: RadiusClientOptions;
  readonly nas: NasIdentity;
  /** Tell the RADIUS servers of sessions. */
  readonly accounting: boolean;
}

/** A user who is up, as accounting shall tell of it. */
export interface Accounted {
  readonly session: string;
  readonly attributes: readonly RadiusAttribute[];
  readonly interimMs: number;
}

/** What one L2TP server has to do with RADIUS: questions of its sessions, and their accounting. */
export class RadiusDesk {
  readonly #service: RadiusService;
  readonly #accountant: SessionAccountant | undefined;
  /** Questions under way, by session. */
  readonly #questions = new Map<string, () => void>();
  #on = false;

  constructor(options: RadiusDeskOptions, services: RadiusServices) {
    const { client, nas, accounting } = options;
    this.#service = new RadiusService(client, services);
    const { dispatch, clock } = services;
    if (!accounting) return;
    this.#accountant = new SessionAccountant(dispatch.dataPlane, clock, nasAttributes(nas), (record) =>
      this.#service.account(record),
    );
  }

  get servers(): readonly RadiusServerView[] {
    return this.#service.servers;
  }

  get recordsLeft(): number {
    return this.#service.recordsLeft;
  }

  /** The server takes calls from now on. Harmless when it did before. */
  open(): void {
    if (this.#on) return;
    this.#on = true;
    this.#accountant?.on();
  }

  /** A session asks; what it asked before is of no interest any more. */
  ask(
    id: string,
    question: { readonly attributes: readonly RadiusAttribute[]; readonly server?: number },
    done: (result: RadiusResult) => void,
  ): void {
    this.forget(id);
    let answered = false;
    const forget = this.#service.ask(question.attributes, question.server, (result) => {
      answered = true;
      this.#questions.delete(id);
      done(result);
    });
    if (!answered) this.#questions.set(id, forget);
  }

  /** The session is gone. */
  forget(id: string): void {
    this.#questions.get(id)?.();
    this.#questions.delete(id);
  }

  begin(key: SessionKey, accounted: Accounted): void {
    this.#accountant?.begin({ ...accounted, key });
  }

  /** To be called before the session leaves the data plane. */
  end({ session, cause }: { readonly session: string; readonly cause: number }): void {
    this.#accountant?.end(session, cause);
  }

  /** Everything is over; the last records are given a moment. Never rejects. */
  async stop(): Promise<void> {
    for (const id of [...this.#questions.keys()]) this.forget(id);
    if (this.#on) await this.#accountant?.off();
    await this.#service.stop();
  }
}
