/**
 * Kinds of text in a configuration that a pattern cannot describe: the `format` keyword of the schema. Each has a check
 * and the words in which a wrong value is refused. They are also registered with TypeBox.
 */
import { Format } from 'typebox/format';
import { isIpAddress, isIpv6, parseCidr, parseIpv4, parseNetwork, parseRange } from '../protocol/ip-address.ts';
import { parseIpNetwork, parseIpPrefix } from '../protocol/ip-prefix.ts';
import { parseIkeIdentity } from './ike-identity.ts';

/** A user name or password must fit the one-octet length fields of PAP and CHAP (RFC 1334 section 2.2.1). */
const MAX_CREDENTIAL_OCTETS = 255;

export interface TextFormat {
  readonly check: (text: string) => boolean;
  /** What is allowed, to follow `allowed: `. */
  readonly allowed: string;
}

/** The formats of the schema by name. */
export const TEXT_FORMATS: Readonly<Record<string, TextFormat>> = {
  'ipv4-address': {
    check: (text) => parseIpv4(text) !== undefined,
    allowed: 'an IPv4 address such as 192.0.2.1',
  },
  'ipv6-address': {
    check: isIpv6,
    allowed: 'an IPv6 address such as 2001:db8::1',
  },
  'ip-address': {
    check: isIpAddress,
    allowed: 'an IP address such as 192.0.2.1 or 2001:db8::1',
  },
  'ipv4-interface': {
    check: (text) => parseCidr(text) !== undefined,
    allowed: 'an IPv4 address with its prefix length such as 192.168.12.1/24',
  },
  'ipv4-network': {
    check: (text) => parseNetwork(text) !== undefined,
    allowed: 'an IPv4 network such as 10.99.0.0/16, with no bits set behind the prefix length',
  },
  'ipv6-interface': {
    check: (text) => parseIpPrefix(text)?.family === 6,
    allowed: 'an IPv6 address with its prefix length such as fd00:12::1/64',
  },
  'ipv6-network': {
    check: (text) => parseIpNetwork(text)?.family === 6,
    allowed: 'an IPv6 network such as fd00:98::/48, with no bits set behind the prefix length',
  },
  'ip-network': {
    check: (text) => parseIpNetwork(text) !== undefined,
    allowed: 'an IP network such as 10.99.0.0/16 or fd00:99::/48, with no bits set behind the prefix length',
  },
  'ipv4-range': {
    check: (text) => parseRange(text) !== undefined,
    allowed: 'two IPv4 addresses with a hyphen between them such as 10.98.0.10-10.98.0.250',
  },
  'ip-or-host-name': {
    check: (text) => isIpAddress(text) || isHostName(text),
    allowed: 'an IP address or a host name such as vpn.example.com',
  },
  'ike-identity': {
    check: (text) => parseIkeIdentity(text) !== undefined,
    allowed:
      'an IP address, a name such as branch.example, user@host, a distinguished name such as "O=Acme, CN=hq", or # and ' +
      'hexadecimal digits for a KEY_ID',
  },
  'pem-certificate': pemFormat('CERTIFICATE', 32),
  'pem-certificates': pemFormat('CERTIFICATE', 128),
  // Any text, since in a draft there may be stars: rules say whether it is a key.
  'pem-private-key': {
    check: (text) => text.length <= 32_768,
    allowed: 'PEM text of a private key, at most 32 KiB',
  },
  'pem-crl': pemFormat('X509 CRL', 512),
  'ppp-credential': {
    check: isCredential,
    allowed: 'text of 1 to 255 octets in UTF-8, without control characters',
  },
};

/** Whether there is such a block at all; what is in it, rules say. */
function pemFormat(label: string, kibibytes: number): TextFormat {
  const begin = `-----BEGIN ${label}-----`;
  return {
    check: (text) => text.length <= kibibytes * 1024 && text.includes(begin),
    allowed: `PEM text with a line "${begin}", at most ${kibibytes} KiB`,
  };
}

for (const [name, format] of Object.entries(TEXT_FORMATS)) Format.Set(name, format.check);

/** Labels of letters, digits and hyphens (RFC 1123 section 2.1), at most 253 characters; not four bare numbers. */
export function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  if (text.length > 253 || !labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))) {
    return false;
  }
  // A last label of digits only can be no name; it is a mistyped address.
  return !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

function isCredential(text: string): boolean {
  const octets = Buffer.byteLength(text, 'utf8');
  return octets >= 1 && octets <= MAX_CREDENTIAL_OCTETS && !hasControlCharacter(text);
}

function hasControlCharacter(text: string): boolean {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
