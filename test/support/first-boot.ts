/**
 * What somebody types at the console of a new router, from the first login to an uplink that is up. In braces stands what a
 * person brings: names, addresses, numbers. Every other word has to be found.
 */
import { readFileSync } from 'node:fs';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { onScreen } from './console-typist.ts';

/** A command, and what is typed into the question that it asks. */
export interface Typed {
  readonly command: string;
  /** Of a secret, and its value. */
  readonly question?: string;
  readonly secret?: string;
}

export const SECRETS = {
  psk: 'correct horse battery staple',
  password: 'alice-pw',
  admin: 'a password of my own',
} as const;

export const CONFIGURATION: readonly Typed[] = [
  'configure',
  'set system hostname {branch-12}',
  'set interfaces {wan} device eth0',
  'set interfaces wan zone wan',
  'set interfaces wan ipv4 method static',
  `set interfaces wan ipv4 address {${addresses.branchWan}/24}`,
  `set interfaces wan ipv4 gateway {${addresses.internet}}`,
  `set interfaces lan ipv4 address {${addresses.branchLan}/24}`,
  `set ipsec connections {hq} remote {${addresses.officeWan}}`,
  'set ipsec connections hq mode transport',
  { command: 'set ipsec connections hq psk', question: 'Pre-shared key:', secret: SECRETS.psk },
  `set l2tp clients {hq} server {${addresses.officeWan}}`,
  'set l2tp clients hq user {alice}',
  { command: 'set l2tp clients hq password', question: 'Password:', secret: SECRETS.password },
  'set l2tp clients hq ipsec hq',
  `set l2tp clients hq routes {${addresses.officeNetwork}}`,
  'compare',
  'commit confirm {60} comment {"first boot"}',
  'confirm',
  'exit',
].map((typed) => (typeof typed === 'string' ? { command: typed } : typed));

export const UPLINK: readonly Typed[] = [
  'connect hq',
  'show l2tp',
  'show ipsec',
  `ping {${addresses.officeHost}} --via=tunnel --count={3}`,
  'exit',
].map((command) => ({ command }));

/** All of it as it stands on the screen. */
export const TYPED: readonly string[] = [...CONFIGURATION, ...UPLINK].map(({ command }) => onScreen(command));

/** The session as the README shows it, cut where `...` stands. */
export function readmeSession(): readonly string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = /```\n(culvert login: admin\n.*?)```/s.exec(readme)?.[1] ?? '';
  return block.trimEnd().split('\n');
}
