/**
 * Libreswan in a guest, with the ESP of the guest's kernel. Its Debian package cannot be installed beside strongSwan's, so
 * the set-up only unpacks it, and the guest copies it into its own root.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LabCertificate } from './certificates.ts';
import type { Guest, GuestFile } from './guest.ts';
import { describeFailure, LabError, lastLines, run } from './shell.ts';

/** Where scripts/setup has unpacked it. */
const UNPACKED = fileURLToPath(new URL('../../build/libreswan', import.meta.url));

const NAME = 'vpn';
const CONFIGURATION = '/etc/ipsec.conf';
const PASSWORDS = '/etc/ipsec.d/passwd';
const NSS = '/var/lib/ipsec/nss';
const LOG = 'pluto';
const MODULES =
  'xfrm_user xfrm_interface esp4 authenc echainiv seqiv cbc gcm hmac sha256_generic sha512_generic sha1_generic';

export interface LibreswanOptions {
  /** Of IKE. */
  readonly version: 1 | 2;
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** CIDR, of each end: a pair of SAs for each two of them. */
  readonly localSubnets: readonly string[];
  readonly remoteSubnets: readonly string[];
  readonly psk?: string;
  /** Instead of {@link psk}, with identities that stand in the certificates. */
  readonly certificates?: {
    readonly own: LabCertificate;
    /** PEM. */
    readonly authority: string;
    /** As libreswan names the kind of signature: `rsa-sha2`, `ecdsa`, `rsasig` (IKEv1). */
    readonly kind: 'rsa-sha2' | 'rsasig' | 'ecdsa';
    readonly localName: string;
    readonly remoteName: string;
  };
  /** Of both ends, sent as names where there is a {@link psk}. Default: their addresses. */
  readonly identities?: { readonly local: string; readonly remote: string };
  /** The one proposal for either phase, as libreswan writes it. Default: its own offers. */
  readonly algorithms?: { readonly ike: string; readonly esp: string };
  /** IKEv1 in Aggressive Mode; it wants {@link algorithms}. Default: Main Mode. */
  readonly aggressive?: boolean;
  /** Passwords by name: the peer has to log in by XAUTH. */
  readonly users?: Readonly<Record<string, string>>;
  /** It logs in by XAUTH itself. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Peers are given an address of it, `FIRST-LAST`, and a name server; in place of {@link remoteSubnets}. */
  readonly pool?: { readonly addresses: string; readonly dns: string };
  /** Keys of child SAs live so long; it makes new ones {@link MARGIN_SECONDS} before. Default: 28 800. */
  readonly rekeySeconds?: number;
  /** The same of the IKE SA. */
  readonly ikeSeconds?: number;
  /** With IKEv2 another proof of who it is in place of new keys for the IKE SA. Default: false. */
  readonly reauthenticates?: boolean;
}

/** In seconds: so long before the end of keys it makes new ones. */
const MARGIN_SECONDS = 5;

/** A libreswan that runs. */
export class Libreswan {
  readonly #guest: Guest;
  readonly #options: LibreswanOptions;

  /** Use {@link startLibreswan}. */
  constructor(guest: Guest, options: LibreswanOptions) {
    this.#guest = guest;
    this.#options = options;
  }

  /** Dials, and returns when each pair of networks has its SAs. @throws LabError with what it says when they do not come */
  async initiate(): Promise<void> {
    for (const name of connectionNames(this.#options)) {
      const result = await this.#guest.tryExec(`ipsec whack --name ${name} --initiate`);
      if (result.code !== 0) throw new LabError(`libreswan: ${describeFailure('whack', result)}${result.stdout}`);
    }
  }

  /** What it says about its SAs. */
  async traffic(): Promise<string> {
    return await this.#guest.exec('ipsec whack --trafficstatus');
  }

  log(): string {
    return this.#guest.log(LOG);
  }

  /** Ends it in good order: peers are told. */
  async stop(): Promise<void> {
    await this.#guest.exec(`
      ipsec whack --shutdown >/dev/null || true
      while pgrep -x pluto >/dev/null; do sleep 0.05; done
      ip xfrm state flush; ip xfrm policy flush`);
  }
}

/** Starts it, and returns when its connections are loaded. @throws LabError with its last words */
export async function startLibreswan(guest: Guest, options: LibreswanOptions): Promise<Libreswan> {
  if (!existsSync(UNPACKED)) throw new LabError('libreswan is not unpacked; run scripts/setup test');
  const { certificates, users } = options;
  const files: GuestFile[] = [
    { path: CONFIGURATION, content: configuration(options) },
    { path: '/etc/ipsec.secrets', content: secrets(options) },
  ];
  if (certificates !== undefined) {
    files.push(
      { path: '/etc/culvert-lab/own.pem', content: certificates.own.certificate },
      { path: '/etc/culvert-lab/own.key', content: certificates.own.key },
      { path: '/etc/culvert-lab/ca.pem', content: certificates.authority },
    );
  }
  if (users !== undefined) files.push({ path: PASSWORDS, content: await passwordFile(users) });
  await guest.install(files);
  const result = await guest.tryExec(`
    modprobe -qa ${MODULES}
    [[ -e /usr/libexec/ipsec/pluto ]] || cp -a ${UNPACKED}/usr/. /usr/
    rm -rf ${NSS}; mkdir -p ${NSS} /run/pluto /etc/ipsec.d
    ipsec initnss >/dev/null || exit
    ${certificates === undefined ? '' : IMPORT}
    : >/lab/${LOG}.log
    /usr/libexec/ipsec/pluto --config ${CONFIGURATION} || exit
    until ipsec whack --listen >/dev/null 2>&1; do pgrep -x pluto >/dev/null || exit 1; sleep 0.1; done
    ipsec addconn --config ${CONFIGURATION} --autoall`);
  if (result.code !== 0) {
    const why = describeFailure('pluto', result);
    throw new LabError(`in guest ${guest.name}: ${why}; its log ends with: ${lastLines(guest.log(LOG), 8)}`);
  }
  return new Libreswan(guest, options);
}

function secrets({ psk, login }: LibreswanOptions): string {
  const key = psk === undefined ? '' : `: PSK "${psk}"\n`;
  return login === undefined ? key : `${key}@${login.user} : XAUTH "${login.password}"\n`;
}

/** Its store takes a key only in PKCS #12. */
const IMPORT = `
    cd /etc/culvert-lab
    openssl pkcs12 -export -in own.pem -inkey own.key -certfile ca.pem -name ${NAME} -passout pass:lab -out own.p12 &&
      pk12util -i own.p12 -d sql:${NSS} -W lab >/dev/null &&
      certutil -A -n ca -t CT,, -d sql:${NSS} -i ca.pem || exit`;

/** A line for each user: a name and a hash of the password by crypt(3). A third field would be the one connection he may use. */
async function passwordFile(users: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries(users).map(async ([name, password]) => {
    const hash = await run(['openssl', 'passwd', '-6', '-stdin'], { input: `${password}\n` });
    return `${name}:${hash.trim()}\n`;
  });
  return (await Promise.all(lines)).join('');
}

/** Networks make several connections out of one. */
function connectionNames({ localSubnets, remoteSubnets, pool }: LibreswanOptions): string[] {
  if (pool !== undefined) return [NAME];
  return localSubnets.flatMap((_, left) => remoteSubnets.map((__, right) => `${NAME}/${left + 1}x${right + 1}`));
}

function configuration(options: LibreswanOptions): string {
  const { version, localAddress, remoteAddress, algorithms, aggressive, users, login } = options;
  const lines = [
    'config setup',
    `\tlogfile=/lab/${LOG}.log`,
    `\tnssdir=${NSS}`,
    '\tprotostack=xfrm',
    '\tikev1-policy=accept',
    `conn ${NAME}`,
    ...[
      `ikev2=${version === 2 ? 'insist' : 'no'}`,
      `left=${localAddress}`,
      `right=${remoteAddress}`,
      ...networks(options),
      ...proof(options),
      ...(algorithms === undefined ? [] : [`ike=${algorithms.ike}`, `esp=${algorithms.esp}`]),
      ...(aggressive === true ? ['aggressive=yes'] : []),
      ...(users === undefined ? [] : ['leftxauthserver=yes', 'rightxauthclient=yes', 'xauthby=file']),
      ...(login === undefined ? [] : ['leftxauthclient=yes', 'rightxauthserver=yes', `leftusername=${login.user}`]),
      'pfs=no',
      ...lives(options),
      'auto=add',
    ].map((line) => `\t${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

function networks({ localSubnets, remoteSubnets, pool }: LibreswanOptions): string[] {
  const local = localSubnets.join(' ');
  if (pool === undefined) return [`leftsubnets={${local}}`, `rightsubnets={${remoteSubnets.join(' ')}}`];
  return [
    `leftsubnet=${local}`,
    `rightaddresspool=${pool.addresses}`,
    `modecfgdns=${pool.dns}`,
    'leftmodecfgserver=yes',
    'rightmodecfgclient=yes',
    'modecfgpull=yes',
  ];
}

function proof({ certificates, identities }: LibreswanOptions): string[] {
  if (certificates === undefined) {
    const names = identities === undefined ? [] : [`leftid=@${identities.local}`, `rightid=@${identities.remote}`];
    return ['authby=secret', ...names];
  }
  return [
    `authby=${certificates.kind}`,
    `leftcert=${NAME}`,
    `leftid=@${certificates.localName}`,
    'leftsendcert=always',
    `rightid=@${certificates.remoteName}`,
    'rightrsasigkey=%cert',
    'rightca=%same',
  ];
}

function lives({ rekeySeconds, ikeSeconds, reauthenticates }: LibreswanOptions): string[] {
  return [
    ...(rekeySeconds === undefined ? [] : [`salifetime=${rekeySeconds}s`]),
    ...(ikeSeconds === undefined ? [] : [`ikelifetime=${ikeSeconds}s`]),
    ...((rekeySeconds ?? ikeSeconds) === undefined ? [] : [`rekeymargin=${MARGIN_SECONDS}s`, 'rekeyfuzz=0%']),
    ...(reauthenticates === true ? ['reauth=yes'] : []),
  ];
}
