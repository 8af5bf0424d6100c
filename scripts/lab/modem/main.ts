/**
 * A simulated modem on pseudo-terminals: `node scripts/lab/modem/main.ts FOLDER [--ppp tcp:HOST:PORT] [--one-port]`. FOLDER gets the links
 * `at` and `data`, to be opened as serial devices. `traits.json` there holds traits (modem-traits.ts) and is read again whenever it is
 * changed; with `"drop": true` all calls end, with `"restart": true` the module begins anew.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync, watchFile } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { Pty } from '../pty.ts';
import type { ModemTraits } from './modem-traits.ts';
import { pppServer } from './ppp-server.ts';
import { type Carrier, SimulatedModem } from './simulated-modem.ts';
import { tcpCarrier } from './tcp-carrier.ts';

/** How often the file is looked at, ms. */
const LOOK_MS = 200;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ppp: { type: 'string' }, 'one-port': { type: 'boolean', default: false } },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('give a folder for the links and for traits.json');

const clock = new LinuxClock();
const modem = new SimulatedModem(clock, carrierOf(values.ppp), readTraits(folder));
for (const name of values['one-port'] ? ['at'] : ['at', 'data']) {
  const pty = new Pty();
  const port = modem.port((octets) => pty.send(octets));
  pty.onOctets = (octets) => port.octets(octets);
  const link = join(folder, name);
  rmSync(link, { force: true });
  symlinkSync(pty.path, link);
}
watchFile(join(folder, 'traits.json'), { interval: LOOK_MS }, () => {
  const { drop, restart, ...traits } = readTraits(folder);
  Object.assign(modem.state.traits, traits);
  if (drop === true) modem.dropCarrier();
  if (restart === true) modem.restart();
});
process.stdout.write(`the modem is at ${folder}\n`);

function readTraits(where: string): Partial<ModemTraits> & { drop?: boolean; restart?: boolean } {
  try {
    return JSON.parse(readFileSync(join(where, 'traits.json'), 'utf8'));
  } catch {
    return {};
  }
}

function carrierOf(ppp: string | undefined): Carrier {
  const [, host, port] = /^tcp:(.+):(\d+)$/.exec(ppp ?? '') ?? [];
  if (host !== undefined) return tcpCarrier(host, Number(port));
  const assignment = { localAddress: '100.64.7.1', peerAddress: '100.64.7.2', dns: ['9.9.9.9', '149.112.112.112'] };
  return pppServer({ clock, random: { bytes: (length) => randomBytes(length) }, assignment });
}
