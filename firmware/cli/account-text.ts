/** Users, sessions, API tokens and the audit log as tables for people. */
import type { AuditEntry, SessionInfo, TokenInfo } from '../api/account-administration.ts';
import { instantText } from './instant-text.ts';
import { table } from './table.ts';
import { durationText } from './units-text.ts';

export interface UserInfo {
  readonly name: string;
  readonly role: string;
  readonly disabled: boolean;
  readonly secondFactor: boolean;
}

export function usersText(users: readonly UserInfo[]): readonly string[] {
  if (users.length === 0)
    return ['there is no user: until there is one, "admin" logs in with the initial password that the console shows'];
  return table([
    ['NAME', 'ROLE', 'SECOND FACTOR', ''],
    ...users.map(({ name, role, disabled, secondFactor }) => [
      ...[name, role, secondFactor ? 'yes' : 'no', disabled ? 'disabled' : ''],
    ]),
  ]);
}

export function sessionsText(sessions: readonly SessionInfo[]): readonly string[] {
  if (sessions.length === 0) return ['nobody is logged in'];
  return table([
    ['ID', 'USER', 'ROLE', 'VIA', 'FROM', 'SINCE', 'IDLE'],
    ...sessions.map(({ id, user, role, via, from, createdAt, idleSeconds }) => [
      ...[id, user, role, via, from, instantText(createdAt), durationText(idleSeconds)],
    ]),
  ]);
}

export function tokensText(tokens: readonly TokenInfo[]): readonly string[] {
  if (tokens.length === 0) return ['there is no API token'];
  return table([
    ['ID', 'NAME', 'USER', 'ROLE', 'SINCE', 'UNTIL'],
    ...tokens.map(({ id, name, user, role, createdAt, expiresAt }) => [
      ...[id, name, user, role, instantText(createdAt), instantText(expiresAt)],
    ]),
  ]);
}

/** The newest first. */
export function auditText(entries: readonly AuditEntry[]): readonly string[] {
  if (entries.length === 0) return ['nothing was changed yet'];
  return table([
    ['WHEN', 'WHO', 'VIA', 'FROM', 'WHAT', 'RESULT'],
    ...entries.map(({ at, who, via, from, what, result }) => [instantText(at), who, via, from, what, result]),
  ]);
}
