/** Certificates for the lab, by OpenSSL: an authority that nobody here wrote. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './shell.ts';

/** Kinds of key, as `openssl genpkey` wants them. */
const KEYS = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ecdsa: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ecdsa384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ed25519: ['-algorithm', 'ED25519'],
} as const;

export type LabKeyKind = keyof typeof KEYS;

/** PEM. */
export interface LabCertificate {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface LabCertificateOptions {
  readonly kind: LabKeyKind;
  /** Such as `vpn.example`: common name, and a dNSName of the alternative names. */
  readonly name: string;
  /** From when to when it holds, in days from now. Default: from yesterday for 30 days. */
  readonly fromDay?: number;
  readonly toDay?: number;
}

const DAY_MS = 86_400_000;

/** An authority in a folder of its own. Every step costs a process or two. */
export class LabAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'culvert-lab-ca-'));
  #count = 0;
  #pem = '';

  /** @param name common name of its certificate. */
  static async create(name = 'Lab authority', kind: LabKeyKind = 'ecdsa'): Promise<LabAuthority> {
    const authority = new LabAuthority();
    await authority.#begin(name, kind);
    return authority;
  }

  /** Its certificate, PEM. */
  get pem(): string {
    return this.#pem;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #openssl(...args: string[]): Promise<string> {
    return await run(['openssl', ...args]);
  }

  async #begin(name: string, kind: LabKeyKind): Promise<void> {
    writeFileSync(this.#path('index.txt'), '');
    writeFileSync(this.#path('crlnumber'), '01\n');
    writeFileSync(
      this.#path('ca.conf'),
      [
        '[ca]\ndefault_ca = own',
        `[own]\ndatabase = ${this.#path('index.txt')}\ncrlnumber = ${this.#path('crlnumber')}`,
        'default_md = sha256\ndefault_crl_days = 30\nunique_subject = no\npolicy = any\nrand_serial = yes',
        '[any]\ncommonName = supplied',
        '[root]\nbasicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign, cRLSign',
        'subjectKeyIdentifier = hash',
      ].join('\n'),
    );
    await this.#openssl('genpkey', ...KEYS[kind], '-out', this.#path('ca.key'));
    await this.#openssl(
      ...['req', '-new', '-x509', '-config', this.#path('ca.conf'), '-extensions', 'root', '-days', '365'],
      ...['-subj', `/CN=${name}`, '-key', this.#path('ca.key'), '-out', this.#path('ca.pem')],
    );
    this.#pem = readFileSync(this.#path('ca.pem'), 'utf8');
  }

  /** A certificate for an end, with the name as its only alternative name. */
  async issue({ kind, name, fromDay = -1, toDay = 30 }: LabCertificateOptions): Promise<LabCertificate> {
    this.#count += 1;
    const at = (suffix: string) => this.#path(`${this.#count}.${suffix}`);
    await this.#openssl('genpkey', ...KEYS[kind], '-out', at('key'));
    await this.#openssl('req', '-new', '-key', at('key'), '-subj', `/CN=${name}`, '-out', at('csr'));
    const lines = [
      'basicConstraints = critical, CA:false',
      'keyUsage = critical, digitalSignature',
      `subjectAltName = DNS:${name}`,
      'authorityKeyIdentifier = keyid',
      'subjectKeyIdentifier = hash',
    ];
    writeFileSync(at('ext'), lines.join('\n'));
    await this.#openssl(
      ...['ca', '-batch', '-notext', '-config', this.#path('ca.conf'), '-outdir', this.#folder],
      ...['-cert', this.#path('ca.pem'), '-keyfile', this.#path('ca.key'), '-extfile', at('ext')],
      ...['-startdate', opensslTime(fromDay), '-enddate', opensslTime(toDay), '-in', at('csr'), '-out', at('pem')],
    );
    return { certificate: readFileSync(at('pem'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
  }

  /** Takes a certificate back. @returns the list of all that were, PEM. */
  async revoke({ certificate }: LabCertificate): Promise<string> {
    writeFileSync(this.#path('revoked.pem'), certificate);
    const own = ['-config', this.#path('ca.conf'), '-cert', this.#path('ca.pem'), '-keyfile', this.#path('ca.key')];
    await this.#openssl('ca', ...own, '-revoke', this.#path('revoked.pem'));
    await this.#openssl('ca', ...own, '-gencrl', '-out', this.#path('crl.pem'));
    return readFileSync(this.#path('crl.pem'), 'utf8');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** `YYYYMMDDHHMMSSZ`. */
function opensslTime(day: number): string {
  const text = new Date(Date.now() + day * DAY_MS).toISOString();
  return `${text.replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
}
