/** The command table: parsing, help and suggestions are made from it. */
import type { Command } from './command.ts';
import { SHOW_TOPICS } from './show-topics.ts';

export const COMMANDS: readonly Command[] = [
  {
    name: 'run',
    parameters: '',
    options: ['state-dir', 'board', 'config', 'key-dir'],
    summary: 'run the router in the foreground, until SIGTERM',
    details: [
      'The log goes to stderr, one JSON object per line. Without --config the configuration in the state directory is put',
      'in force. Several routers run on one host when each has a state directory and a network namespace of its own.',
    ],
    load: () => import('./run.ts'),
  },
  {
    name: 'apply',
    parameters: 'FILE',
    positionals: { min: 1, max: 1 },
    options: ['confirm-within', 'check', 'comment', 'dry-run', 'json', 'state-dir'],
    summary: 'validate a configuration file and put it in force; prints what changed',
    details: [
      'FILE is JSON or YAML. A wrong file is refused as a whole, and the running configuration stays.',
      'Stars in the place of a secret, as "culvert show config" prints them, mean the secret that is in force there.',
      'With --confirm-within what was in force comes back by itself, also after a power cut, unless "culvert confirm" keeps',
      'the new one: for changes that may cut off the one who makes them.',
    ],
    load: () => import('./apply.ts'),
  },
  {
    name: 'confirm',
    parameters: '',
    options: ['json', 'state-dir'],
    summary: 'keep the configuration that waits for its confirmation',
    load: () => import('./confirm.ts'),
  },
  {
    name: 'revert',
    parameters: '',
    options: ['json', 'state-dir'],
    summary: 'take the configuration that waits for its confirmation back at once',
    load: () => import('./revert.ts'),
  },
  {
    name: 'rollback',
    parameters: 'N',
    positionals: { min: 1, max: 1 },
    options: ['confirm-within', 'check', 'comment', 'dry-run', 'json', 'state-dir'],
    summary: 'put an earlier revision of the configuration in force again, as a new one',
    details: ['N is a number of "culvert show history".'],
    load: () => import('./rollback.ts'),
  },
  {
    name: 'compare',
    parameters: '[FROM [TO]]',
    positionals: { min: 0, max: 2 },
    options: ['json', 'state-dir'],
    summary: 'show what one revision of the configuration differs in from another',
    details: [
      'FROM and TO are numbers of "culvert show history", "running" (what is in force) or "candidate" (the draft).',
      'TO is "running" where it is not given; FROM is the revision that was in force before.',
    ],
    load: () => import('./compare.ts'),
  },
  {
    name: 'backup',
    parameters: 'FILE',
    positionals: { min: 1, max: 1 },
    options: ['passphrase-file', 'force', 'json', 'state-dir'],
    summary: 'write the configuration in force into one file, its secrets under a passphrase',
    details: [
      'The passphrase is asked for twice on the terminal, or read from a file. Without it the secrets in FILE are lost.',
    ],
    load: () => import('./backup.ts'),
  },
  {
    name: 'restore',
    parameters: 'FILE',
    positionals: { min: 1, max: 1 },
    options: ['passphrase-file', 'confirm-within', 'check', 'comment', 'dry-run', 'json', 'state-dir'],
    summary: 'put a backup in force; prints what changed',
    details: ['It may come from another router. --dry-run shows first what it would change here.'],
    load: () => import('./restore.ts'),
  },
  {
    name: 'factory-reset',
    parameters: '',
    options: ['yes', 'json', 'state-dir'],
    summary: 'destroy the device key and every configuration; the router ends, and starts like a new one',
    load: () => import('./factory-reset.ts'),
  },
  {
    name: 'show',
    parameters: 'WHAT',
    positionals: { min: 1, max: 1 },
    options: ['json', 'keys', 'state-dir'],
    valueOptional: ['keys'],
    summary: 'show what the router has and does',
    details: [
      `WHAT: ${SHOW_TOPICS.join(', ')}.`,
      '"show ipsec --keys [NAME]" prints the keys of the SAs that stand, of one connection or of all, as lines of the files',
      'ikev1_decryption_table, ikev2_decryption_table and esp_sa, which "culvert decode --keys" and Wireshark read.',
    ],
    load: () => import('./show.ts'),
  },
  {
    name: 'connect',
    parameters: 'NAME',
    positionals: { min: 1, max: 1 },
    options: ['state-dir'],
    summary: 'bring a connection up and wait until it is',
    details: [
      'Prints the steps as they happen. Exit code 0: it is up; 1: it failed, and stderr says why and what to do.',
    ],
    load: () => import('./connect.ts'),
  },
  {
    name: 'disconnect',
    parameters: 'NAME',
    positionals: { min: 1, max: 1 },
    options: ['state-dir'],
    summary: 'take a connection down and wait until it is',
    load: () => import('./disconnect.ts'),
  },
  {
    name: 'decode',
    parameters: 'FILE',
    positionals: { min: 1, max: 1 },
    options: ['json', 'secret', 'secret-file', 'password', 'password-file', 'keys', 'all', 'verbose'],
    summary: 'explain a packet capture message by message: L2TP, PPP, IKE and ESP',
    details: [
      'FILE is a pcap or pcapng file. A malformed message is told as such, and is no failure of the command.',
      'What --secret and --password say can be seen by other users of the machine; the options with -file cannot.',
    ],
    load: () => import('./decode.ts'),
  },
  {
    name: 'diagnose',
    parameters: '[NAME]',
    positionals: { min: 0, max: 1 },
    options: ['replay', 'json', 'secret', 'secret-file', 'password', 'password-file', 'keys', 'state-dir'],
    summary: 'say which step of a connection failed, what was seen, why probably, and what to do',
    details: [
      'NAME is an L2TP client or server or an IPsec connection of the running router. With --replay FILE it is a pcap or',
      'pcapng capture that is judged instead, by what went over the wire; secrets, passwords and keys tell more of it.',
      'Exit code 0: the diagnosis was made, whatever it says; 1: it could not be made, and stderr says why.',
    ],
    load: () => import('./diagnose.ts'),
  },
  {
    name: 'certificate',
    parameters: 'ACTION NAME|FILE...',
    positionals: { min: 2, max: 9 },
    options: [
      ...(['ca', 'subject', 'names', 'days', 'key-type', 'reason', 'authority', 'passphrase-file', 'force'] as const),
      ...(['comment', 'confirm-within', 'check', 'dry-run', 'json', 'state-dir'] as const),
    ],
    summary: 'make certificates for IPsec, issue them for the other end, and give them to the router',
    details: [
      'create-ca NAME          an authority of your own: NAME.crt for everybody, NAME.key for nobody else',
      'issue NAME --ca CA      a certificate with its key: NAME.crt, NAME.key',
      'request NAME            a key, and a request for an authority elsewhere: NAME.key, NAME.csr',
      'sign NAME.csr --ca CA   the answer to such a request: NAME.crt',
      'revoke FILE.crt --ca CA adds it to the list of the authority, CA.crl; "revoke CA.crl" makes the list anew',
      'export NAME --ca CA     one file for phones and other routers, under a passphrase: NAME.p12 (PKCS #12)',
      'import NAME FILE...     into the configuration of the running router, as ipsec.certificates.NAME, and commits it;',
      '                        FILE is PEM, DER or PKCS #12, and several files are taken together: certificate, key, list',
      'show FILE...            says what is in files',
      'Private keys are written for their owner only, and are printed nowhere.',
    ],
    load: () => import('./certificate.ts'),
  },
  {
    name: 'help',
    parameters: '[COMMAND]',
    positionals: { min: 0, max: 1 },
    options: [],
    summary: 'say what there is, or what a command does',
    load: () => import('./help.ts'),
  },
  {
    name: 'version',
    parameters: '',
    options: [],
    summary: 'print the version',
    load: () => import('./version.ts'),
  },
];

/** Looks a command up by its exact name. */
export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
