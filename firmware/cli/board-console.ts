/** The console of the router on the serial line of its board: logins below, commands above. */
import type { BoardDescription } from '../../board/board.ts';
import type { Clock } from '../../hal/clock.ts';
import type { SerialPorts } from '../../hal/serial-port.ts';
import type { AccountControl } from '../api/account-control.ts';
import type { ConfigurationState } from '../api/configuration-control.ts';
import type { Configuration } from '../config/schema.ts';
import { SerialConsole } from '../serial/serial-console.ts';
import { configurationStateText } from './configuration-state-text.ts';
import { startSerialShell } from './serial-shell.ts';
import { VERSION } from './version.ts';

export interface BoardConsoleParts {
  readonly board: BoardDescription;
  readonly ports: SerialPorts;
  readonly clock: Clock;
  readonly accounts: AccountControl;
  readonly stateDirectory: string;
  readonly inForce: () => Configuration;
  readonly configurationState: () => ConfigurationState;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

/** @returns `undefined` for a board without a console. */
export function boardConsole(parts: BoardConsoleParts): SerialConsole | undefined {
  const { board, accounts, stateDirectory, inForce, configurationState } = parts;
  if (board.consoleDevice === undefined) return undefined;
  return new SerialConsole({
    ...parts,
    path: board.consoleDevice,
    idleMs: () => inForce().system.console.idleMinutes * 60_000,
    startShell: (session, line) => startSerialShell(stateDirectory, session, line),
    facts: () => {
      const initialPassword = accounts.initialPassword();
      return {
        hostname: inForce().system.hostname,
        version: VERSION,
        state: configurationStateText(configurationState()),
        ...(initialPassword === undefined ? {} : { initialPassword }),
      };
    },
  });
}
