/** Certificates for tests, of every kind and with every mistake, made by `openssl`: a CA in a folder of its own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, parseCertificate } from '../../../firmware/certificates/certificate.ts';
import { pemBlocks } from '../../../firmware/certificates/pem.ts';

export type KeyKind = 'rsa:1024' | 'rsa:2048' | 'rsa:2048:large-exponent' | 'ec:P-256' | 'ec:P-384' | 'ed25519';

export interface Issue {
  readonly subject?: string;
  readonly key?: KeyKind;
  /** Lines of OpenSSL's extension section. */
  readonly extensions?: readonly string[];
  /** ms since 1970. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly digest?: string;
  readonly pss?: boolean;
}

export interface Issued {
  readonly pem: string;
  readonly keyPem: string;
  readonly certificate: Certificate;
  readonly name: string;
}

export const NOW = Date.UTC(2026, 10, 27, 12);
export const DAY = 86_400_000;

export const CA_EXTENSIONS = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign'];

/** Folder of openssl's files. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'culvert-certificates-'));
  #count = 0;

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  openssl(...words: readonly string[]): string {
    return execFileSync('openssl', words, { cwd: this.folder, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** A self-signed authority. */
  authority(subject: string, issue: Issue = {}): TestAuthority {
    const issued = this.#make(undefined, { extensions: CA_EXTENSIONS, ...issue, subject });
    return new TestAuthority(this, issued, (below) => this.#make(issued, below));
  }

  /** An authority below another one. */
  intermediate(above: TestAuthority, subject: string, issue: Issue = {}): TestAuthority {
    const issued = above.issue({ extensions: CA_EXTENSIONS, ...issue, subject });
    return new TestAuthority(this, issued, (below) => this.#make(issued, below));
  }

  #make(issuer: Issued | undefined, issue: Issue): Issued {
    this.#count += 1;
    const name = `c${this.#count}`;
    const { subject = '/CN=end', key = 'ec:P-256', extensions = [], digest = 'sha256' } = issue;
    const [kind, size, special] = key.split(':');
    const options = kind === 'rsa' ? [`rsa_keygen_bits:${size}`] : kind === 'ec' ? [`ec_paramgen_curve:${size}`] : [];
    // 2^64 + 13.
    if (special !== undefined) options.push('rsa_keygen_pubexp:18446744073709551629');
    const pkey = options.flatMap((option) => ['-pkeyopt', option]);
    this.openssl('genpkey', '-quiet', '-algorithm', kind ?? '', ...pkey, '-out', `${name}.key`);
    const time = (at: number) => new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
    const ca = issuer?.name ?? name;
    this.write(`${name}.ext`, extensions.join('\n'));
    this.write(
      `${name}.cnf`,
      `[ca]\ndefault_ca=x\n[x]\ndatabase=${name}.db\nnew_certs_dir=.\npolicy=p\nrand_serial=yes\nemail_in_dn=yes\n` +
        'unique_subject=no\n[p]\ncommonName=optional\ncountryName=optional\norganizationName=optional\nemailAddress=optional\n' +
        '[req]\ndistinguished_name=dn\n[dn]\n',
    );
    this.write(`${name}.db`, '');
    // Ed25519 has a digest of its own.
    this.openssl(
      'req',
      '-config',
      `${name}.cnf`,
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      subject,
      '-out',
      `${name}.csr`,
    );
    const md = ca === name && key === 'ed25519' ? 'default' : digest;
    const start = time(issue.notBefore ?? NOW - DAY);
    const end = time(issue.notAfter ?? NOW + 365 * DAY);
    const signer = issuer === undefined ? ['-selfsign'] : ['-cert', `${ca}.pem`];
    const pss = issue.pss === true ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32'] : [];
    this.openssl(
      ...['ca', '-batch', '-config', `${name}.cnf`, '-keyfile', `${ca}.key`, ...signer, '-md', md, ...pss, '-notext'],
      ...['-preserveDN', '-startdate', start, '-enddate', end, '-extfile', `${name}.ext`],
      ...['-in', `${name}.csr`, '-out', `${name}.pem`],
    );
    const pem = this.read(`${name}.pem`);
    return { pem, keyPem: this.read(`${name}.key`), certificate: certificateOf(pem), name };
  }
}

export class TestAuthority {
  readonly workshop: Workshop;
  readonly own: Issued;
  readonly issue: (issue: Issue) => Issued;

  constructor(workshop: Workshop, own: Issued, issue: (issue: Issue) => Issued) {
    this.workshop = workshop;
    this.own = own;
    this.issue = issue;
  }

  /** A revocation list. @param reasons OpenSSL's word for each. @param days until the next one. */
  revocationList(revoked: readonly (readonly [Issued, string])[], days = 30): string {
    const { workshop, own } = this;
    workshop.write('crl.db', '');
    workshop.write('crl.number', '01');
    const configuration = '[ca]\ndefault_ca=x\n[x]\ndatabase=crl.db\ncrlnumber=crl.number\ndefault_md=sha256\n';
    workshop.write('crl.cnf', configuration);
    const ca = ['ca', '-config', 'crl.cnf', '-keyfile', `${own.name}.key`, '-cert', `${own.name}.pem`];
    for (const [issued, reason] of revoked)
      workshop.openssl(...ca, '-revoke', `${issued.name}.pem`, '-crl_reason', reason);
    workshop.openssl(...ca, '-gencrl', '-crldays', String(days), '-out', 'crl.pem');
    return workshop.read('crl.pem');
  }
}

export function certificateOf(pem: string): Certificate {
  const block = pemBlocks(pem).find(({ label }) => label === 'CERTIFICATE');
  if (block === undefined) throw new Error('no certificate');
  return parseCertificate(block.der);
}
