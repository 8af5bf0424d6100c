import { describe, expect, it } from 'vitest';
import { checkoutFiles } from './checkout.ts';
import { checkFloors, FLOOR_FOLDERS } from './floors.ts';

describe('the floors', () => {
  it.each(FLOOR_FOLDERS)('hold in %s', (folder) => {
    const sources = checkoutFiles(folder).filter(({ path }) => path.endsWith('.ts'));
    const violations = sources.flatMap(({ path, text }) => checkFloors(path, text));
    expect(violations.join('\n')).toBe('');
  });

  it('are checked in sources that are there', () => {
    const paths = checkoutFiles('firmware').map(({ path }) => path);
    expect(paths).toContain('firmware/protocol/machine.ts');
    expect(paths).toContain('firmware/api/server.ts');
  });
});

describe('the check of the floors', () => {
  it.each([
    ['firmware/protocol/l2tp/x.ts', "import { a } from '../../../hal/clock.ts';", 'imports hal/clock.ts'],
    ['firmware/protocol/l2tp/x.ts', "import type { A } from '../../../hal/clock.ts';", 'imports hal/clock.ts'],
    ['firmware/protocol/x.ts', "import { a } from '../dataplane/data-plane.ts';", 'may use nothing outside itself'],
    ['firmware/protocol/x.ts', "import { a } from '../log/logger.ts';", 'imports firmware/log/logger.ts'],
    ['firmware/protocol/x.ts', "export { a } from '../vpn/a.ts';", 'imports firmware/vpn/a.ts'],
    ['firmware/protocol/x.ts', "export * from '../vpn/a.ts';", 'imports firmware/vpn/a.ts'],
    ['firmware/protocol/x.ts', "type A = import('../vpn/a.ts').A;", 'imports firmware/vpn/a.ts'],
    ['firmware/protocol/x.ts', "import { createSocket } from 'node:dgram';", 'imports node:dgram'],
    ['firmware/protocol/x.ts', "import { setTimeout } from 'node:timers/promises';", 'imports node:timers'],
    ['firmware/protocol/x.ts', "import koffi from 'koffi';", 'imports koffi'],
    ['firmware/protocol/x.ts', "import { randomBytes } from 'node:crypto';", 'random octets are handed in'],
    ['firmware/protocol/x.ts', "import { randomInt as dice } from 'node:crypto';", 'imports randomInt'],
    ['firmware/protocol/x.ts', "import * as crypto from 'node:crypto';", 'imports all of node:crypto'],
    ['firmware/protocol/x.ts', "import crypto from 'node:crypto';", 'imports all of node:crypto'],
    ['firmware/protocol/x.ts', 'const t = Date.now();', 'uses Date.now'],
    ['firmware/protocol/x.ts', "const t = Date['now']();", 'uses Date.now'],
    ['firmware/protocol/x.ts', 'const t = new Date();', 'uses Date()'],
    ['firmware/protocol/x.ts', 'const t = performance.now();', 'uses performance'],
    ['firmware/protocol/x.ts', 'setTimeout(() => {}, 1);', 'uses setTimeout'],
    ['firmware/protocol/x.ts', 'const later = setInterval;', 'uses setInterval'],
    ['firmware/protocol/x.ts', 'const n = Math.random();', 'uses Math.random'],
    ['firmware/protocol/x.ts', 'const n = crypto.getRandomValues(new Uint8Array(1));', 'uses crypto'],
    ['firmware/protocol/x.ts', "globalThis['set' + 'Timeout'](f);", 'uses globalThis'],
    ['firmware/vpn/l2tp/client-machine.ts', 'const t = Date.now();', 'uses Date.now'],
    [
      'hal/linux/x.ts',
      "import { a } from '../../firmware/protocol/machine.ts';",
      'imports firmware/protocol/machine.ts',
    ],
    ['hal/linux/x.ts', "import koffi from 'koffi';", 'koffi, which is used in hal/linux/ffi, scripts/lab/pty.ts only'],
    ['firmware/dataplane/x.ts', "import { a } from '../log/logger.ts';", 'imports firmware/log/logger.ts'],
    ['firmware/dataplane/x.ts', "new Worker(new URL('../vpn/w.ts', import.meta.url));", 'imports firmware/vpn/w.ts'],
    ['firmware/dataplane/x.ts', "await import('../vpn/w.ts');", 'imports firmware/vpn/w.ts'],
    ['firmware/dataplane/x.ts', 'await import(`../vpn/w.ts`);', 'imports firmware/vpn/w.ts'],
    ['firmware/dataplane/x.ts', 'await import(name);', 'imports a computed name'],
    ['firmware/dataplane/x.ts', "require('../vpn/w.ts');", 'imports firmware/vpn/w.ts'],
    ['firmware/config/x.ts', "import { a } from '../api/server.ts';", 'imports firmware/api/server.ts'],
    ['firmware/vpn/x.ts', "import { a } from '../api/router-control.ts';", 'imports firmware/api/router-control.ts'],
    ['firmware/vpn/x.ts', "import { execFile } from 'node:child_process';", 'used in hal/linux, scripts only'],
    ['firmware/api/x.ts', "import { a } from '../cli/output.ts';", 'imports firmware/cli/output.ts'],
    ['firmware/api/x.ts', "import { a } from '../main.ts';", 'imports firmware/main.ts'],
    ['firmware/api/x.ts', "import { readFileSync } from 'fs';", 'write node:fs'],
    ['firmware/x/y.ts', 'export {};', 'stands on no floor'],
    ['firmware/api/x.ts', "import { a } from '../../scripts/lab.ts';", 'imports scripts/lab.ts'],
    ['firmware/api/x.ts', "import { a } from '../../test/x.ts';", 'imports test/x.ts'],
    ['firmware/api/x.ts', "import { a } from '../../../elsewhere/x.ts';", 'outside the checkout'],
    ['webui/x.ts', "import { a } from '../firmware/api/server.ts';", 'imports firmware/api/server.ts'],
    ['webui/x.ts', "import { a } from '../hal/clock.ts';", 'imports hal/clock.ts'],
    ['board/x.ts', 'export const a = [1].map((x) => x);', 'holds logic'],
    ['board/x.ts', 'export function led(): string { return "a"; }', 'holds logic'],
    ['board/x.ts', "import { a } from 'node:fs';", 'a board is described by data only'],
  ])('finds in %s: %s', (path, source, sentence) => {
    expect(checkFloors(path, source).join('\n')).toContain(sentence);
  });

  it.each([
    [
      'firmware/protocol/l2tp/x.ts',
      "import type { A } from '../machine.ts'; import { createHash } from 'node:crypto';",
    ],
    ['firmware/protocol/x.ts', 'const day = new Date(0); const o = { process: 1, console: 2 }; o.process;'],
    ['firmware/protocol/x.ts', 'interface A { process(): void; fetch: number } class B { process(): void {} }'],
    ['firmware/protocol/x.ts', '// Date.now()\nconst text = "setTimeout(1)";'],
    ['firmware/dataplane/x.ts', "import { a } from '../../hal/tun.ts'; new URL('./w.ts', import.meta.url);"],
    ['firmware/cli/x.ts', "await import('../main.ts'); import p from '../../package.json' with { type: 'json' };"],
    ['firmware/vpn/x.ts', "import { a } from '../log/logger.ts'; setTimeout(f, 1); Date.now();"],
    ['hal/linux/x.ts', "function require(value: unknown) {} require(1); require('../../firmware/vpn/a.ts');"],
    ['webui/x.ts', "import { ControlClient } from '../firmware/api/client.ts';"],
    ['hal/linux/ffi/x.ts', "import koffi from 'koffi';"],
    ['board/x.ts', "import type { B } from './board.ts'; export const b: B = { leds: [{ name: 'a', on: -1 }] };"],
    ['scripts/x.ts', "import { a } from '../firmware/vpn/a.ts'; import { execFile } from 'node:child_process';"],
  ])('finds nothing in %s: %s', (path, source) => {
    expect(checkFloors(path, source)).toEqual([]);
  });

  it('says file and line of a violation', () => {
    expect(checkFloors('firmware/protocol/x.ts', '// one\n\nDate.now();')).toEqual([
      'firmware/protocol/x.ts:3 uses Date.now: a protocol machine gets time, random octets and input handed in.',
    ]);
  });
});
