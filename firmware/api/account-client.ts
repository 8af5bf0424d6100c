/** The half of the control API's client that is about accounts. */
import type { Author } from '../config/store/revision.ts';
import type { AuditEntry, SessionInfo, TokenInfo, TokenRequest } from './account-administration.ts';
import type { CommandResult } from './router-control.ts';
import { ControlTransport, commandResult, expectOk } from './transport.ts';

/** Every method throws `ControlClientError` when no router answers. */
export class AccountClient {
  readonly #transport: ControlTransport;

  constructor(stateDir: string) {
    this.#transport = new ControlTransport(stateDir);
  }

  async sessions(): Promise<readonly SessionInfo[]> {
    const answer = await this.#transport.call('GET', '/v1/sessions');
    return expectOk<{ readonly sessions: readonly SessionInfo[] }>(answer).sessions;
  }

  async endSession(id: string): Promise<CommandResult> {
    return commandResult(await this.#transport.call('DELETE', `/v1/sessions/${encodeURIComponent(id)}`));
  }

  async tokens(): Promise<readonly TokenInfo[]> {
    const answer = await this.#transport.call('GET', '/v1/tokens');
    return expectOk<{ readonly tokens: readonly TokenInfo[] }>(answer).tokens;
  }

  /** @throws ControlClientError also when it is refused. */
  async createToken({ user, ...json }: TokenRequest): Promise<{ readonly token: string; readonly info: TokenInfo }> {
    const answer = await this.#transport.call('POST', `/v1/users/${encodeURIComponent(user)}/tokens`, { json });
    return expectOk<{ readonly token: string; readonly info: TokenInfo }>(answer);
  }

  async revokeToken(id: string): Promise<CommandResult> {
    return commandResult(await this.#transport.call('DELETE', `/v1/tokens/${encodeURIComponent(id)}`));
  }

  /** @throws ControlClientError also when it is refused. */
  async beginTotp(user: string): Promise<{ readonly secret: string; readonly uri: string }> {
    const answer = await this.#transport.call('POST', `/v1/users/${encodeURIComponent(user)}/totp`);
    return expectOk<{ readonly secret: string; readonly uri: string }>(answer);
  }

  async confirmTotp(user: string, code: string, author: Author): Promise<CommandResult> {
    const query = new URLSearchParams({ ...author });
    const path = `/v1/users/${encodeURIComponent(user)}/totp/confirm?${query}`;
    return commandResult(await this.#transport.call('POST', path, { json: { code } }));
  }

  /** The newest first. */
  async audit(count?: number): Promise<readonly AuditEntry[]> {
    const query = count === undefined ? '' : `?count=${count}`;
    const answer = await this.#transport.call('GET', `/v1/audit${query}`);
    return expectOk<{ readonly entries: readonly AuditEntry[] }>(answer).entries;
  }
}
