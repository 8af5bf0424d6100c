/** The two ends of a line, in memory and as a pseudo-terminal. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { LinuxOctetLineFactory } from '../../../hal/linux/octet-line.ts';
import { LinuxPollerFactory } from '../../../hal/linux/poller.ts';
import { SimulatedHandles } from '../../../hal/simulated/handles.ts';
import { SimulatedOctetLines } from '../../../hal/simulated/octet-line.ts';
import { SimulatedPollerFactory } from '../../../hal/simulated/poller.ts';
import { Pty } from '../../../scripts/lab/pty.ts';
import type { OpenWorld } from './contract.ts';
import type { OctetLineWorld } from './octet-line.ts';

export function simulatedOctetLineWorld(): OpenWorld<OctetLineWorld> {
  const handles = new SimulatedHandles();
  const lines = new SimulatedOctetLines(handles);
  const [near, far] = lines.pair();
  const into = new Uint8Array(100_000);
  return {
    world: {
      lines,
      pollers: new SimulatedPollerFactory(handles),
      descriptor: near.handle,
      farSends: (octets) => void far.write(octets),
      farReceived: () => into.slice(0, Math.max(0, far.read(into))),
      pull: () => far.hangUp(),
    },
    close: () => undefined,
  };
}

export function linuxOctetLineWorld(): OpenWorld<OctetLineWorld> {
  const far = new Pty();
  far.reads = false;
  execFileSync('stty', ['-F', far.path, 'raw', '-echo']);
  const descriptor = openSync(far.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  return {
    world: {
      lines: new LinuxOctetLineFactory(),
      pollers: new LinuxPollerFactory(),
      descriptor,
      farSends: (octets) => far.send(octets),
      farReceived: () => far.readNow(),
      pull: () => far.close(),
    },
    close: () => {
      far.close();
      closeSync(descriptor);
    },
  };
}
