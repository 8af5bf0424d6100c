/**
 * Libreswan in a guest, with the ESP of the guest's kernel. Its Debian package cannot be installed beside strongSwan's, so
 * the set-up only unpacks it, and the guest copies it into its own root.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LabCertificate } from './certificates.ts';
import type { Guest, GuestFile } from './guest.ts';
import { describeFailure, LabError, lastLines } from './shell.ts';

/** Where scripts/setup has unpacked it. */
const UNPACKED = fileURLToPath(new URL('../../build/libreswan', import.meta.url));

const NAME = 'vpn';
const CONFIGURATION = '/etc/ipsec.conf';
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
  /** It makes new keys for child SAs after this many seconds. Default: 28 800. */
  readonly rekeySeconds?: number;
}

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
  const { certificates, psk } = options;
  const files: GuestFile[] = [
    { path: CONFIGURATION, content: configuration(options) },
    { path: '/etc/ipsec.secrets', content: psk === undefined ? '' : `: PSK "${psk}"\n` },
  ];
  if (certificates !== undefined) {
    files.push(
      { path: '/etc/culvert-lab/own.pem', content: certificates.own.certificate },
      { path: '/etc/culvert-lab/own.key', content: certificates.own.key },
      { path: '/etc/culvert-lab/ca.pem', content: certificates.authority },
    );
  }
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

/** Its store takes a key only in PKCS #12. */
const IMPORT = `
    cd /etc/culvert-lab
    openssl pkcs12 -export -in own.pem -inkey own.key -certfile ca.pem -name ${NAME} -passout pass:lab -out own.p12 &&
      pk12util -i own.p12 -d sql:${NSS} -W lab >/dev/null &&
      certutil -A -n ca -t CT,, -d sql:${NSS} -i ca.pem || exit`;

/** Several networks make several connections out of one. */
function connectionNames({ localSubnets, remoteSubnets }: LibreswanOptions): string[] {
  return localSubnets.flatMap((_, left) => remoteSubnets.map((__, right) => `${NAME}/${left + 1}x${right + 1}`));
}

function configuration(options: LibreswanOptions): string {
  const { version, localAddress, remoteAddress, localSubnets, remoteSubnets, certificates, rekeySeconds } = options;
  const proof =
    certificates === undefined
      ? ['authby=secret']
      : [
          `authby=${certificates.kind}`,
          `leftcert=${NAME}`,
          `leftid=@${certificates.localName}`,
          'leftsendcert=always',
          `rightid=@${certificates.remoteName}`,
          'rightrsasigkey=%cert',
          'rightca=%same',
        ];
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
      `leftsubnets={${localSubnets.join(' ')}}`,
      `right=${remoteAddress}`,
      `rightsubnets={${remoteSubnets.join(' ')}}`,
      ...proof,
      'pfs=no',
      ...(rekeySeconds === undefined ? [] : [`salifetime=${rekeySeconds}s`, 'rekeymargin=5s', 'rekeyfuzz=0%']),
      'auto=add',
    ].map((line) => `\t${line}`),
  ];
  return `${lines.join('\n')}\n`;
}
