/** The floors of ARCHITECTURE.md as tables, and the check of one source against them. */
import { posix } from 'node:path';
import { type ImportUse, sourceFacts } from './source-facts.ts';

/** A layer and what it may import beside itself. The deeper a layer, the shorter its list: imports go down only. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  hal: [],
  board: [],
  'firmware/protocol': [],
  // Keys in, characters out: knows nothing of what is typed.
  'firmware/terminal': [],
  'firmware/dataplane': ['firmware/protocol', 'hal'],
  'firmware/certificates': ['firmware/protocol'],
  'firmware/config': ['firmware/certificates', 'firmware/dataplane', 'firmware/protocol', 'hal'],
  // For the filter of what peers wrote; nothing else of the protocols.
  'firmware/log': ['firmware/protocol/printable.ts'],
  'firmware/network': [
    'firmware/config',
    'firmware/certificates',
    'firmware/dataplane',
    'firmware/protocol',
    'firmware/log',
    'hal',
    'board',
  ],
  get 'firmware/vpn'() {
    return below('firmware/network');
  },
  get 'firmware/uplink'() {
    return below('firmware/vpn');
  },
  get 'firmware/diagnosis'() {
    return below('firmware/uplink');
  },
  get 'firmware/api'() {
    return below('firmware/diagnosis');
  },
  get 'firmware/accounts'() {
    return below('firmware/api');
  },
  get 'firmware/monitoring'() {
    return below('firmware/api');
  },
  get 'firmware/router'() {
    return ['firmware/accounts', ...below('firmware/monitoring')];
  },
  // Keys and accounts on a line; what is typed behind the login is handed in, for it stands above.
  get 'firmware/serial'() {
    return ['firmware/terminal', ...below('firmware/api')];
  },
  // The command that is the router starts it; nothing else may reach up.
  get 'firmware/cli'() {
    return [...below('firmware/router'), ...below('firmware/serial'), 'firmware/main.ts'];
  },
  get 'firmware/main.ts'() {
    return below('firmware/cli');
  },
  // A process of its own without privileges: it knows the control API's client and nothing else.
  webui: [
    'firmware/api/client.ts',
    'firmware/api/configuration-client.ts',
    'firmware/api/configuration-control.ts',
    'firmware/api/transport.ts',
    'firmware/api/limits.ts',
    'firmware/api/router-control.ts',
    'firmware/api/socket-path.ts',
  ],
  // Tools around the firmware: they may use all of it, and nothing uses them.
  scripts: ['firmware', 'hal', 'board', 'webui'],
};

/** The folders whose sources stand on a floor. */
export const FLOOR_FOLDERS = ['firmware', 'hal', 'board', 'webui', 'scripts'] as const;

/** Packages and modules that only certain places may use: whoever wants another place changes this table knowingly. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  // Calls into C with hand-made layouts: one folder, each length asserted. Terminals for tests and laboratory call with numbers alone.
  koffi: ['hal/linux/ffi', 'scripts/lab/pty.ts'],
  onoff: ['hal/linux'],
  serialport: ['hal/linux'],
  '@serialport/bindings-cpp': ['hal/linux'],
  'better-sqlite3': ['firmware/config'],
  fastify: ['firmware/api', 'webui', 'scripts/openapi-document.ts', 'scripts/bench-api.ts'],
  // Makes the OpenAPI document when it is built; the router serves what was made.
  '@fastify/swagger': ['scripts'],
  '@seriousme/openapi-schema-validator': [],
  pino: ['firmware/log'],
  typebox: [
    'firmware/config',
    'firmware/network',
    'firmware/api',
    'firmware/router',
    'firmware/uplink/modem/pin-guard.ts',
  ],
  yaml: ['firmware/config'],
  // Slow to load, and wanted by the command alone.
  '@peculiar/x509': ['firmware/certificates/x509-library.ts'],
  'reflect-metadata': ['firmware/certificates/x509-library.ts'],
  // No program of the host and no socket is used around the hardware abstraction layer.
  'node:child_process': ['hal/linux', 'scripts'],
  'node:dgram': ['hal', 'scripts'],
  vitest: ['scripts'],
  rolldown: ['scripts'],
  esbuild: ['scripts'],
  'fast-check': [],
};

/** Modules of Node that a protocol machine may use: arithmetic, and nothing that waits, listens or reads. */
const PROTOCOL_MODULES = ['node:crypto'];

/** What of node:crypto draws random numbers: those are handed in. */
const RANDOM = /^(random|getRandomValues|webcrypto|subtle|generateKey|\*|default)/;

/** One source. `path` is relative to the checkout, with slashes. @returns a sentence for each violation. */
export function checkFloors(path: string, source: string): readonly string[] {
  const layer = layerOf(path);
  if (layer === undefined)
    return [`${path} stands on no floor: give its folder a line in test/architecture/floors.ts.`];
  const facts = sourceFacts(source, path);
  const violations = facts.imports.flatMap((use) => {
    const at = `${path}:${use.line}`;
    if (use.specifier === '') return [`${at} imports a computed name: write the name out, so that it can be checked.`];
    return use.specifier.startsWith('.') ? checkFile(at, path, layer, use) : checkModule(at, path, layer, use);
  });
  if (isMachine(path))
    for (const { name, line } of facts.globals)
      violations.push(`${path}:${line} uses ${name}: a protocol machine gets time, random octets and input handed in.`);
  if (layer === 'board')
    for (const line of facts.logicLines)
      violations.push(`${path}:${line} holds logic: a board is described by data only.`);
  return violations;
}

function checkFile(at: string, path: string, layer: string, use: ImportUse): readonly string[] {
  const target = posix.join(posix.dirname(path), use.specifier);
  // Data such as package.json belongs to no floor.
  if (target.endsWith('.json')) return [];
  if (target.startsWith('../')) return [`${at} imports ${use.specifier}, which is outside the checkout.`];
  if (within(target, layer) || (FLOORS[layer] ?? []).some((allowed) => within(target, allowed))) return [];
  return [`${at} imports ${target}: ${layer} may use ${allowedText(layer)}.`];
}

function checkModule(at: string, path: string, layer: string, use: ImportUse): readonly string[] {
  const name = packageName(use.specifier);
  if (layer === 'firmware/protocol') {
    if (!PROTOCOL_MODULES.includes(name))
      return [`${at} imports ${name}: a protocol machine may use ${PROTOCOL_MODULES.join(', ')} and no other module.`];
    const random = use.names.filter((imported) => RANDOM.test(imported));
    return random.map((imported) =>
      imported === '*' || imported === 'default'
        ? `${at} imports all of ${name}: name what is used, so that it can be checked.`
        : `${at} imports ${imported} of ${name}: random octets are handed in (RandomSource).`,
    );
  }
  if (layer === 'board') return [`${at} imports ${name}: a board is described by data only.`];
  if (!use.specifier.startsWith('node:') && isNodeModule(use.specifier))
    return [`${at} imports ${use.specifier}: write node:${use.specifier}.`];
  const places = Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
  if (places === undefined || places.some((place) => within(path, place))) return [];
  return [`${at} imports ${name}, which is used in ${places.join(', ') || 'tests'} only.`];
}

/** Sources that are machines without hands: the protocols, and what drives several of them in step. */
function isMachine(path: string): boolean {
  return path.startsWith('firmware/protocol/') || path.endsWith('-machine.ts');
}

function layerOf(path: string): string | undefined {
  return Object.keys(FLOORS).find((layer) => within(path, layer));
}

/** A layer and everything that it may use. */
function below(layer: string): readonly string[] {
  return [layer, ...(FLOORS[layer] ?? [])];
}

function within(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

function allowedText(layer: string): string {
  const allowed = FLOORS[layer] ?? [];
  return allowed.length === 0 ? 'nothing outside itself' : `itself, ${allowed.join(', ')}`;
}

/** `typebox/value` is of the package `typebox`, `@biomejs/biome/x` of `@biomejs/biome`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isNodeModule(specifier: string): boolean {
  return process.getBuiltinModule(specifier) !== undefined;
}
