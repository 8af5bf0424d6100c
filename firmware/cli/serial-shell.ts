/** The console of `culvert console` at the end of a serial line. */
import type { LoginSession } from '../api/account-control.ts';
import type { ShellLine, ShellSession } from '../serial/shell-port.ts';
import { Keyboard } from './shell/keyboard.ts';
import { Screen } from './shell/screen.ts';
import { Shell } from './shell/shell.ts';

/** A terminal of which nothing is known. */
const SIZE = { columns: 80, rows: 24 } as const;

/** Somebody who is logged in gives commands on a line. @param stateDir of the router that they are for. */
export function startSerialShell(stateDir: string, { user, role }: LoginSession, line: ShellLine): ShellSession {
  const keyboard = new Keyboard();
  keyboard.onRoom = line.onRoom;
  const screen = new Screen({ ...SIZE, lineEnd: '\r\n', write: line.write, drained: line.drained }, keyboard);
  const shell = new Shell({ stateDir, author: { who: user, via: 'console' }, screen, role });
  return {
    feed: (octets) => keyboard.feed(octets),
    hangUp: () => keyboard.end(),
    get typedAhead() {
      return keyboard.typedAhead;
    },
    ended: shell.run().then(() => undefined),
  };
}
