/** What a TypeScript source imports, names and contains: the facts on which the rules of the house are checked. */
import { parseAst } from 'rolldown/parseAst';

export interface ImportUse {
  /** As written: `../machine.ts`, `node:crypto`, `pino`. Empty when it is computed at run time. */
  readonly specifier: string;
  /** Names taken from it; `*` for all of it, `default` for its default export. */
  readonly names: readonly string[];
  readonly kind: 'import' | 'type' | 'dynamic' | 'worker';
  readonly line: number;
}

/** A use of a global, `Date.now` and the like with the member that is used. */
export interface GlobalUse {
  readonly name: string;
  readonly line: number;
}

export interface SourceFacts {
  readonly imports: readonly ImportUse[];
  readonly globals: readonly GlobalUse[];
  /** Lines with the type `any`. */
  readonly anyLines: readonly number[];
  /** Functions, classes, calls and statements of control, with their line: there are none in plain data. */
  readonly logicLines: readonly number[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Globals that read a clock, draw random numbers or reach outside the process. */
const WATCHED = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'process',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'require',
  'WebSocket',
  'eval',
]);

const LOGIC = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassDeclaration',
  'ClassExpression',
  'CallExpression',
  'NewExpression',
  'AwaitExpression',
  'IfStatement',
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'DoWhileStatement',
  'SwitchStatement',
  'TryStatement',
  'ThrowStatement',
]);

/** @throws SyntaxError when it does not parse. */
export function sourceFacts(source: string, fileName: string): SourceFacts {
  const imports: (ImportUse & { readonly via: string })[] = [];
  const globals: GlobalUse[] = [];
  const anyLines: number[] = [];
  const logicLines: number[] = [];
  const own = new Set<string>();
  const line = (node: Node) => source.slice(0, node.start).split('\n').length;

  const visit = (node: Node, parent: Node | undefined, key: string): void => {
    const use = importUse(node);
    if (use !== undefined) imports.push({ ...use, line: line(node), via: nameOf(node['callee']) || node.type });
    for (const name of declaredNames(node)) own.add(name);
    if (node.type === 'TSAnyKeyword') anyLines.push(line(node));
    if (LOGIC.has(node.type)) logicLines.push(line(node));
    const name = globalUse(node, parent, key);
    if (name !== undefined) globals.push({ name, line: line(node) });
    for (const [childKey, child] of Object.entries(node)) for (const item of nodes(child)) visit(item, node, childKey);
  };
  visit(parseAst(source, { lang: 'ts' }, fileName) as unknown as Node, undefined, '');
  return {
    imports: imports.filter(({ via }) => !own.has(via)),
    globals: globals.filter(({ name }) => !own.has(name)),
    anyLines,
    logicLines,
  };
}

/** Names that the source gives to something of its own: they are no globals. */
function declaredNames(node: Node): readonly string[] {
  switch (node.type) {
    case 'ImportDeclaration':
      return nodes(node['specifiers']).map((specifier) => nameOf(specifier['local']));
    case 'VariableDeclarator':
      return [nameOf(node['id'])];
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [nameOf(node['id']), ...nodes(node['params']).map(nameOf)];
    default:
      return [];
  }
}

function importUse(node: Node): Omit<ImportUse, 'line'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return {
        specifier: literal(node['source']),
        names: nodes(node['specifiers']).map(importedName),
        kind: node['importKind'] === 'type' ? 'type' : 'import',
      };
    case 'ExportNamedDeclaration':
      if (!isNode(node['source'])) return undefined;
      return {
        specifier: literal(node['source']),
        names: nodes(node['specifiers']).map((specifier) => nameOf(specifier['local'])),
        kind: node['exportKind'] === 'type' ? 'type' : 'import',
      };
    case 'ExportAllDeclaration':
      return { specifier: literal(node['source']), names: ['*'], kind: 'import' };
    case 'TSImportType':
      return { specifier: literal(node['source']), names: ['*'], kind: 'type' };
    case 'ImportExpression':
      return { specifier: literal(node['source']), names: ['*'], kind: 'dynamic' };
    case 'CallExpression':
      if (nameOf(node['callee']) !== 'require') return undefined;
      return { specifier: literal(nodes(node['arguments'])[0]), names: ['*'], kind: 'dynamic' };
    case 'NewExpression': {
      // new Worker(new URL('./worker.ts', import.meta.url))
      const file = nameOf(node['callee']) === 'URL' ? literal(nodes(node['arguments'])[0]) : '';
      return /^\.{1,2}\/.*\.ts$/.test(file) ? { specifier: file, names: ['*'], kind: 'worker' } : undefined;
    }
    default:
      return undefined;
  }
}

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*';
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(specifier['imported']);
}

function globalUse(node: Node, parent: Node | undefined, key: string): string | undefined {
  if (node.type === 'MemberExpression') {
    const path = `${nameOf(node['object'])}.${nameOf(node['property']) || literal(node['property'])}`;
    return path === 'Date.now' || path === 'Math.random' ? path : undefined;
  }
  if ((node.type === 'NewExpression' || node.type === 'CallExpression') && nameOf(node['callee']) === 'Date')
    return node.type === 'CallExpression' || nodes(node['arguments']).length === 0 ? 'Date()' : undefined;
  if (node.type !== 'Identifier' || !WATCHED.has(nameOf(node))) return undefined;
  return isMemberName(parent, key) ? undefined : nameOf(node);
}

/** `x.process`, `{ process: 1 }`, `process(): void` in a class or an interface: names of members, not the global. */
function isMemberName(parent: Node | undefined, key: string): boolean {
  if (parent === undefined || parent['computed'] === true) return false;
  if (parent.type === 'MemberExpression') return key === 'property';
  return key === 'key' || parent.type.startsWith('TS') || parent.type.endsWith('Specifier');
}

function nodes(value: unknown): readonly Node[] {
  if (Array.isArray(value)) return value.filter(isNode);
  return isNode(value) ? [value] : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nameOf(value: unknown): string {
  if (!isNode(value)) return '';
  return value.type === 'Identifier' ? String(value['name']) : literal(value);
}

/** The text of a string literal or of a template without substitutions, else an empty string. */
function literal(value: unknown): string {
  if (!isNode(value)) return '';
  if (value.type === 'Literal' && typeof value['value'] === 'string') return value['value'];
  const [quasi, ...more] = value.type === 'TemplateLiteral' ? nodes(value['quasis']) : [];
  const cooked = quasi?.['value'];
  if (more.length > 0 || typeof cooked !== 'object' || cooked === null || !('cooked' in cooked)) return '';
  return String(cooked.cooked);
}
