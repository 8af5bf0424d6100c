/**
 * Whatever a stranger could guess octet by octet is compared in constant time: digests, HASH, AUTH, ICV, COOKIE, tokens,
 * passwords. Looks for comparisons of things with such names that are done otherwise.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, it } from 'vitest';
import { equalSecrets } from '../../../../firmware/protocol/ike/crypto/secrets.ts';

const PROTOCOL = fileURLToPath(new URL('../../../../firmware/protocol', import.meta.url));
const FOLDERS = ['ike', 'esp', 'ppp', 'l2tp'];

/** Names of what must not leak, as parts of camel-case names. */
const SECRET =
  /(digest|hash|icv|cookie|token|secret|proof|psk|password|signature|hmac|skeyid|authdata|authenticator|challengeresponse|macof)/i;
/** What can be compared openly although such a word stands in its name. */
const OPEN_PROPERTY = /^(length|size|kind|type|name|code|identifier|messageId|protocol|method|state|step|mode|duty)$/;
const COMPARING_METHODS = new Set([
  'equals',
  'compare',
  'every',
  'some',
  'includes',
  'indexOf',
  'startsWith',
  'localeCompare',
]);
const EQUALITY = new Set<unknown>(['==', '===', '!=', '!==']);

/** What was looked at and is no secret, and why. */
const ALLOWED: readonly { readonly file: string; readonly text: string; readonly why: string }[] = [
  {
    file: 'ike/v1/sa-table.ts',
    text: 'hex(initiator.cookieR) === hex(cookieR)',
    why: 'the cookies of IKEv1 stand in clear in every header: they are names, not proofs',
  },
  {
    file: 'ike/v1/informational.ts',
    text: 'hex(spi) !== hex(concatBytes(sa.cookieI, sa.cookieR))',
    why: 'the same, inside a message that is authenticated',
  },
  {
    file: 'ike/proposal-text.ts',
    text: "findTransform('integrity', integrity)?.hash !== prf",
    why: 'names of algorithms',
  },
  {
    file: 'l2tp/admission.ts',
    text: 'known.digest === digestOf(datagram)',
    why: 'a digest without key, of a datagram that went in clear: it tells repetitions apart',
  },
];

interface Finding {
  readonly file: string;
  readonly text: string;
}

function sources(folder: string): readonly string[] {
  return readdirSync(join(PROTOCOL, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(PROTOCOL, folder, name));
}

/** A node of ESTree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function childrenOf(node: Node): readonly Node[] {
  return Object.values(node).flat().filter(isNode);
}

/** Name of an identifier, or of a property that is read by its name. */
function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return String(node['name']);
  return node.type === 'MemberExpression' && node['computed'] === false ? nameOf(node['property']) : undefined;
}

function isOpen(node: Node): boolean {
  if (node.type === 'Literal' || node.type === 'UnaryExpression' || node.type === 'TemplateLiteral') return true;
  const name = nameOf(node);
  if (name === undefined) return false;
  if (node.type === 'Identifier') return name === 'undefined' || /^[A-Z][A-Z0-9_]+$/.test(name);
  // Members of tables of numbers: `NotifyType.initialContact`.
  const table = nameOf(node['object']);
  return (table !== undefined && /^[A-Z]/.test(table)) || OPEN_PROPERTY.test(name);
}

function namesSecret(node: Node): boolean {
  return SECRET.test(nameOf(node) ?? '') || childrenOf(node).some(namesSecret);
}

function suspicious(node: Node): boolean {
  const { left, right, callee } = node;
  if (node.type === 'BinaryExpression' && EQUALITY.has(node['operator']) && isNode(left) && isNode(right)) {
    return !isOpen(left) && !isOpen(right) && (namesSecret(left) || namesSecret(right));
  }
  if (node.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'MemberExpression') return false;
  const method = nameOf(callee);
  if (method === undefined || !COMPARING_METHODS.has(method)) return false;
  const given = [node['arguments']].flat().filter(isNode);
  const [first] = given;
  // A function decides: what it compares is looked at by itself.
  if (first === undefined || first.type.endsWith('FunctionExpression')) return false;
  if (isOpen(first) && given.length === 1) return false;
  return [callee['object'], ...given].filter(isNode).some(namesSecret);
}

function findings(file: string, text: string): readonly Finding[] {
  const found: Finding[] = [];
  const visit = (node: Node): void => {
    if (suspicious(node)) found.push({ file, text: text.slice(node.start, node.end).replaceAll(/\s+/g, ' ') });
    childrenOf(node).forEach(visit);
  };
  const program: unknown = parseAst(text, { lang: 'ts', astType: 'ts' });
  if (isNode(program)) visit(program);
  return found;
}

const isAllowed = ({ file, text }: Finding) => ALLOWED.some((one) => one.file === file && one.text === text);
const everything = FOLDERS.flatMap(sources).flatMap((path) => {
  return findings(relative(PROTOCOL, path), readFileSync(path, 'utf8'));
});

describe('secrets', () => {
  it('are compared in constant time throughout the protocols', () => {
    expect(everything.filter((finding) => !isAllowed(finding))).toEqual([]);
  });

  it('have no exception that nobody needs', () => {
    const unneeded = ALLOWED.filter(
      ({ file, text }) => !everything.some((one) => one.file === file && one.text === text),
    );
    expect(unneeded).toEqual([]);
  });

  it('would be found, were they compared otherwise', () => {
    const bad = [
      'const same = hash === expected;',
      'const ok = Buffer.compare(icv, received) === 0;',
      'const x = hex(cookie) !== hex(theirs);',
      'const x = digest.equals(other);',
      'const known = tokens.includes(hex(token));',
      'const x = received.password === user.password;',
    ];
    for (const text of bad) expect([text, findings('x.ts', text).length > 0]).toEqual([text, true]);
    const good = [
      'const x = hash === undefined;',
      'const x = cookie.length === 36;',
      'const x = equalSecrets(hash, expected);',
      'const x = type === NotifyType.cookie;',
    ];
    for (const text of good) expect([text, findings('x.ts', text)]).toEqual([text, []]);
  });

  it('of another length are not equal, and cost no exception', () => {
    expect(equalSecrets(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBe(false);
    expect(equalSecrets(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  });
});
