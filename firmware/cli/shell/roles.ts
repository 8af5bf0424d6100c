/** What somebody may do on the console, by their role. What is not listed is for administrators. */
import type { Role } from '../../api/account-control.ts';
import type { OptionName } from '../options.ts';

const VIEWER = ['show', 'diagnose', 'compare', 'version', 'exit'];

const COMMANDS_OF: Readonly<Record<Exclude<Role, 'admin'>, readonly string[]>> = {
  viewer: VIEWER,
  operator: [...VIEWER, 'connect', 'disconnect'],
};

/** Whoever has the keys of a connection has its traffic. */
const ADMIN_OPTIONS: readonly OptionName[] = ['keys'];

export function mayGive(role: Role, command: string): boolean {
  return role === 'admin' || COMMANDS_OF[role].includes(command);
}

export function mayUse(role: Role, option: OptionName): boolean {
  return role === 'admin' || !ADMIN_OPTIONS.includes(option);
}
