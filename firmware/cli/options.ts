/** Every option that any command has, once. */

import { KEY_TYPES } from '../certificates/key-types.ts';
import { type Bound, CAPTURE_BOUNDS } from '../diagnosis/capture/capture-limits.ts';
import { REACH_BOUNDS } from '../diagnosis/reach/reach-event.ts';

export interface OptionDescription {
  readonly type: 'string' | 'boolean';
  /** As usage shows the value: `DIR`. */
  readonly value?: string;
  readonly summary: string;
}

function bound(what: string, { most, default: usual }: Bound): string {
  return `${what} (default ${usual}, up to ${most})`;
}

export const OPTIONS = {
  'state-dir': {
    type: 'string',
    value: 'DIR',
    summary: 'state directory of the router (default: $CULVERT_STATE_DIR, else /var/lib/culvert)',
  },
  board: {
    type: 'string',
    value: 'NAME|FILE',
    summary: 'what the hardware has (default: what the machine says it is, else simulated)',
  },
  config: { type: 'string', value: 'FILE', summary: 'configuration to put in force at the start' },
  'key-dir': {
    type: 'string',
    value: 'DIR',
    summary: 'where the device key is kept, apart from the state (default: in a folder of the state directory)',
  },
  'web-socket': {
    type: 'string',
    value: 'PATH',
    summary: 'socket for the web process (default: web.sock in the state directory)',
  },
  json: { type: 'boolean', summary: 'print JSON, for programs' },
  'confirm-within': {
    type: 'string',
    value: 'SECONDS',
    summary: 'revert by itself unless it is confirmed with "culvert confirm" by then',
  },
  check: {
    type: 'boolean',
    summary: 'with --confirm-within: confirm by itself when every connection that was up is up again',
  },
  comment: { type: 'string', value: 'TEXT', summary: 'for the history' },
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    summary: 'the passphrase, alone in its file (default: it is asked for on the terminal)',
  },
  force: { type: 'boolean', summary: 'write in place of a file that is there' },
  yes: { type: 'boolean', summary: 'it is meant: do not ask' },
  'dry-run': { type: 'boolean', summary: 'print what would change, and change nothing' },
  secret: { type: 'string', value: 'S', summary: 'tunnel secret: hidden AVPs are read and challenge responses judged' },
  'secret-file': {
    type: 'string',
    value: 'FILE',
    summary: 'tunnel secrets, one in each line; no other user sees them',
  },
  password: { type: 'string', value: 'P', summary: 'password of a user: what PPP proves with it is judged' },
  'password-file': { type: 'string', value: 'FILE', summary: 'passwords, one in each line; no other user sees them' },
  keys: {
    type: 'string',
    value: 'FILE|NAME',
    summary: 'decode, diagnose: the file or folder with the keys; show ipsec: print the keys of NAME, or all',
  },
  replay: { type: 'string', value: 'FILE', summary: 'diagnose: the capture to judge instead of a connection' },
  all: { type: 'boolean', summary: 'user packets too, a line for each' },
  verbose: { type: 'boolean', summary: 'every field below its message' },
  file: { type: 'string', value: 'FILE', summary: 'capture: the pcapng file to write' },
  seconds: { type: 'string', value: 'N', summary: bound('capture: how long at most', CAPTURE_BOUNDS.seconds) },
  packets: { type: 'string', value: 'N', summary: bound('capture: packets at most', CAPTURE_BOUNDS.packets) },
  octets: { type: 'string', value: 'N', summary: bound('capture: octets of the file at most', CAPTURE_BOUNDS.octets) },
  snap: {
    type: 'string',
    value: 'N',
    summary: bound('capture: octets of each packet that are kept', CAPTURE_BOUNDS.snap),
  },
  outside: { type: 'boolean', summary: 'capture: of a tunnel its IKE, ESP and L2TP, instead of what is inside' },
  via: {
    type: 'string',
    value: 'NAME|tunnel|uplink',
    summary: 'by a connection or interface; tunnel: as the branch goes (default); uplink: past tunnels',
  },
  count: { type: 'string', value: 'N', summary: bound('ping: how often', REACH_BOUNDS.count) },
  size: { type: 'string', value: 'N', summary: bound('octets of data in each packet', REACH_BOUNDS.size) },
  interval: { type: 'string', value: 'MS', summary: bound('ping: between two packets, ms', REACH_BOUNDS.interval) },
  df: { type: 'boolean', summary: 'nobody may fragment the packets: finds the MTU of the path' },
  hops: { type: 'string', value: 'N', summary: bound('traceroute: routers at most', REACH_BOUNDS.hops) },
  in: { type: 'string', value: 'MINUTES', summary: 'not at once, but so much later (up to a day)' },
  cancel: { type: 'boolean', summary: 'take back what was asked for with --in' },
  subject: {
    type: 'string',
    value: 'DN',
    summary: 'certificate: the subject, as "O=Acme, CN=hq" (default: CN=NAME)',
  },
  names: {
    type: 'string',
    value: 'NAME,...',
    summary: 'certificate: for whom it speaks: host names, addresses, user@host (default: NAME)',
  },
  ca: { type: 'string', value: 'NAME', summary: 'certificate: the authority, whose files are NAME.crt and NAME.key' },
  days: {
    type: 'string',
    value: 'DAYS',
    summary: 'how long it holds (authority 3650, other certificates 825, list 30, API token 90)',
  },
  'key-type': {
    type: 'string',
    value: 'TYPE',
    summary: `certificate: ${KEY_TYPES.join(', ')} (default: the first; IKEv1 takes RSA)`,
  },
  reason: {
    type: 'string',
    value: 'REASON',
    summary: 'certificate: why it is revoked: key-compromise, superseded, cessation-of-operation ...',
  },
  'device-key': {
    type: 'string',
    value: 'KEY',
    summary: 'provision: for which router the bundle is, as its console shows it',
  },
  'enrolment-key': {
    type: 'string',
    value: 'FILE',
    summary: 'provision: the Ed25519 private key (PEM) whose public one is in the image',
  },
  code: { type: 'string', value: 'CODE', summary: 'provision: the code that the console of the router shows' },
  'admin-password-file': {
    type: 'string',
    value: 'FILE',
    summary: 'provision: the password of admin in place of the initial one, alone in its file',
  },
  authority: { type: 'boolean', summary: 'certificate: of a file with several, take that of the authority' },
  name: { type: 'string', value: 'NAME', summary: 'user token: what it is for' },
  role: { type: 'string', value: 'ROLE', summary: 'user token: viewer (the default), operator or admin' },
  help: { type: 'boolean', summary: 'say what the command does' },
  version: { type: 'boolean', summary: 'print the version' },
} as const satisfies Record<string, OptionDescription>;

export type OptionName = keyof typeof OPTIONS;

export type ParsedOptions = {
  readonly [Name in OptionName]?: (typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string;
};

const DEFAULT_STATE_DIR = '/var/lib/culvert';

/** The state directory: the option, else the environment, else the default. */
export function stateDirOf(options: ParsedOptions): string {
  const fromEnvironment = process.env['CULVERT_STATE_DIR'];
  return options['state-dir'] ?? (fromEnvironment === '' ? undefined : fromEnvironment) ?? DEFAULT_STATE_DIR;
}
