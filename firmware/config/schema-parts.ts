/** Pieces from which the modules' schemas are put together. */
import Type from 'typebox';

/** What every key says of itself. */
interface Words {
  readonly title: string;
  readonly description: string;
  readonly 'x-priority'?: 'basic';
}

/** Names that people give to interfaces, clients and servers: they appear in device names, file names and paths. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$';

export const NAME = Type.String({ pattern: NAME_PATTERN });

/** Words for {@link NAME}; a record carries them because the schema has no place for words on its keys. */
export const NAME_ALLOWED = 'a name of 1 to 32 letters, digits, hyphens and underscores, a letter or digit first';

/** User names: anything printable without spaces but the one name that JavaScript objects cannot hold safely. */
export const USER_NAME = Type.String({
  pattern: '^(?!__proto__$)[\\x21-\\x7e\\u00a1-\\uffff]{1,64}$',
});

/** Words for {@link USER_NAME}. */
export const USER_NAME_ALLOWED = 'a user name of 1 to 64 printable characters without spaces';

/** A network device of the kernel: at most 15 octets, no slash, colon or space (IFNAMSIZ). */
export function device(words: Words & { readonly 'x-refers-to'?: 'interfaces.NAME.device' }) {
  return Type.String({
    ...words,
    pattern: '^(?!\\.{1,2}$)[\\x21-\\x2e\\x30-\\x39\\x3b-\\x7e]{1,15}$',
    'x-allowed': 'a network device name of 1 to 15 characters such as eth0',
  });
}

/** A secret of 1 to 255 octets: shown nowhere. */
export function secret(words: Words) {
  return Type.String({ ...words, format: 'ppp-credential', 'x-secret': true });
}

export function ipv4Address(words: Words) {
  return Type.String({ ...words, format: 'ipv4-address' });
}

export function ipv6Address(words: Words) {
  return Type.String({ ...words, format: 'ipv6-address' });
}

export function ipAddress(words: Words) {
  return Type.String({ ...words, format: 'ip-address' });
}

export function ipv4Network(words: Words) {
  return Type.String({ ...words, format: 'ipv4-network' });
}

const NETWORKS = { default: [], maxItems: 256, uniqueItems: true };

/** A UDP port, 1..65535. */
export function port(words: Words & { readonly default: number }) {
  return Type.Integer({ ...words, minimum: 1, maximum: 65535 });
}

/** A whole number with its bounds and unit. */
export function count(
  words: Words & {
    /** Absent where it depends on something else, which the description says then. */
    readonly default?: number;
    readonly minimum: number;
    readonly maximum: number;
    readonly unit: string;
  },
) {
  const { unit, ...rest } = words;
  return Type.Integer({ ...rest, 'x-unit': unit });
}

export function flag(words: Words & { readonly default: boolean }) {
  return Type.Boolean({ ...words });
}

/** Destination prefixes of IPv4, none twice. */
export function ipv4Networks(words: Words) {
  return Type.Array(ipv4Network({ title: 'Network', description: 'A destination prefix.' }), {
    ...words,
    ...NETWORKS,
  });
}

/** Destination prefixes of IPv4 and IPv6, none twice. */
export function ipNetworks(words: Words) {
  const network = Type.String({ title: 'Network', description: 'A destination prefix.', format: 'ip-network' });
  return Type.Array(network, { ...words, ...NETWORKS });
}
