/**
 * Debian's FreeRADIUS in a namespace, with a configuration of a page that is written for the occasion: users in a file,
 * PAP, CHAP, MS-CHAP and EAP, accounting into a file.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { Namespace } from './namespaces.ts';
import { LabError, lastLines, tryRun } from './shell.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

export interface RadiusUser {
  readonly name: string;
  readonly password: string;
  /** Attributes of the Access-Accept, as FreeRADIUS writes them: `Framed-IP-Address = 10.98.0.77`. */
  readonly reply?: readonly string[];
  /** EAP method that is asked for first. Default: `md5`. */
  readonly eap?: 'md5' | 'mschapv2';
}

export interface FreeradiusOptions {
  readonly namespace: Namespace;
  /** An address of the namespace. */
  readonly address: string;
  /** Of authentication; accounting is one above. Default: 1812. */
  readonly port?: number;
  readonly users: readonly RadiusUser[];
  /** Shared with every client. Default: {@link LAB_RADIUS_SECRET}. */
  readonly secret?: string;
  /** Prove every answer by a Message-Authenticator, which this version does of itself for EAP alone. Default: true. */
  readonly messageAuthenticator?: boolean;
}

/** One record of accounting: attribute and value, quotes taken off. */
export type AccountingRecord = ReadonlyMap<string, string>;

export const LAB_RADIUS_SECRET = 'radius of the laboratory';

/** Answers to nothing but this proves readiness; no test uses it. */
const PROBE: RadiusUser = { name: 'probe', password: 'probe-pw' };
/** Files of Debian's package that the configuration refers to. */
const DICTIONARY = '/usr/share/freeradius/dictionary';

export class Freeradius {
  readonly address: string;
  readonly port: number;
  readonly secret: string;
  readonly #folder: StateFolder;
  readonly #daemon: Daemon;

  /** Use {@link startFreeradius}. */
  constructor(options: FreeradiusOptions, folder: StateFolder, daemon: Daemon) {
    this.address = options.address;
    this.port = options.port ?? 1812;
    this.secret = options.secret ?? LAB_RADIUS_SECRET;
    this.#folder = folder;
    this.#daemon = daemon;
  }

  /** As an entry of `l2tp.servers.NAME.radius.servers`. */
  get configuration(): Record<string, unknown> {
    return { address: this.address, port: this.port, accountingPort: this.port + 1, secret: this.secret };
  }

  log(): string {
    return this.#daemon.log();
  }

  /** What was accounted so far, in the order in which it came. */
  get records(): readonly AccountingRecord[] {
    const file = join(this.#folder.path, 'detail');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split(/\n\n+/)
      .filter((block) => block.includes('Acct-Status-Type'))
      .map((block) => new Map([...block.matchAll(/^\t([\w-]+)(?::\d)? = "?([^"\n]*)"?$/gm)].map(pair)));
  }

  /** As a power cut does it: nothing is answered any more, and the port is closed. */
  async stop(): Promise<void> {
    await this.#daemon.stop();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#folder.remove();
  }
}

/**
 * Starts it, and returns when it accepts a user.
 * @throws LabError with the end of its log when it does not
 */
export async function startFreeradius(options: FreeradiusOptions): Promise<Freeradius> {
  const { namespace, address, port = 1812, secret = LAB_RADIUS_SECRET, messageAuthenticator = true } = options;
  const folder = createStateFolder('freeradius');
  const raddb = join(folder.path, 'raddb');
  mkdirSync(raddb);
  writeFileSync(join(raddb, 'dictionary'), '');
  writeFileSync(join(raddb, 'users'), [...options.users, PROBE].map(userEntry).join('\n'));
  writeFileSync(
    join(raddb, 'radiusd.conf'),
    configuration(folder.path, { address, port, secret, messageAuthenticator }),
  );
  const daemon = await startDaemon({
    name: 'freeradius',
    // In the foreground, its log on standard output.
    command: ['freeradius', '-f', '-l', 'stdout', '-d', raddb, '-D', DICTIONARY.replace(/\/dictionary$/, '')],
    namespace: namespace.name,
    logFile: join(folder.path, 'log'),
  });
  const probe = namespace.command('radtest', '-x', PROBE.name, PROBE.password, `${address}:${port}`, '0', secret);
  try {
    await waitFor('an answer of freeradius', async () => {
      daemon.checkAlive();
      return /Ready to process requests/.test(daemon.log()) && /Access-Accept/.test((await tryRun(probe)).stdout);
    });
  } catch (error) {
    const words = lastLines(daemon.log(), 8);
    await daemon.stop();
    folder.remove();
    throw new LabError(`${error instanceof Error ? error.message : error}; its last words: ${words}`);
  }
  return new Freeradius(options, folder, daemon);
}

function pair(match: RegExpMatchArray): [string, string] {
  return [match[1] ?? '', match[2] ?? ''];
}

function userEntry({ name, password, reply = [], eap = 'md5' }: RadiusUser): string {
  const check = `"${name}" Cleartext-Password := "${password}", EAP-Type := ${eap === 'md5' ? 'MD5' : 'MSCHAPv2'}`;
  return [check, reply.map((line) => `\t${line}`).join(',\n'), ''].join('\n');
}

/** Nothing of Debian's own configuration is used, so that its changes change nothing here. */
function configuration(
  folder: string,
  options: Required<Pick<FreeradiusOptions, 'address' | 'port' | 'secret' | 'messageAuthenticator'>>,
): string {
  const { address, port, secret } = options;
  const prove = options.messageAuthenticator ? 'update reply { Message-Authenticator := 0x00 }' : '';
  return `
prefix = /usr
libdir = /usr/lib/freeradius
logdir = ${folder}
raddbdir = ${folder}/raddb
run_dir = ${folder}
max_request_time = 30
cleanup_delay = 5
max_requests = 1024
hostname_lookups = no
regular_expressions = yes
extended_expressions = yes
log {
  destination = stdout
  auth = yes
  auth_badpass = no
  auth_goodpass = no
}
security {
  reject_delay = 0
  status_server = yes
  allow_vulnerable_openssl = yes
}
thread pool {
  start_servers = 1
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
}
client lab {
  ipaddr = 0.0.0.0/0
  secret = "${secret}"
  require_message_authenticator = no
}
modules {
  pap { }
  chap { }
  mschap { use_mppe = no }
  eap {
    default_eap_type = md5
    timer_expire = 60
    ignore_unknown_eap_types = no
    max_sessions = 256
    md5 { }
    mschapv2 { }
  }
  files { filename = ${folder}/raddb/users }
  detail {
    filename = ${folder}/detail
    permissions = 0600
    header = "%t"
  }
}
server default {
  listen {
    type = auth
    ipaddr = ${address}
    port = ${port}
  }
  listen {
    type = acct
    ipaddr = ${address}
    port = ${port + 1}
  }
  authorize {
    chap
    mschap
    eap {
      ok = return
    }
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type CHAP {
      chap
    }
    Auth-Type MS-CHAP {
      mschap
    }
    eap
  }
  post-auth {
    ${prove}
    Post-Auth-Type REJECT {
      ${prove}
    }
  }
  accounting {
    detail
  }
}
`;
}
