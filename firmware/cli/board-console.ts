/** The console of the router on the serial line of its board: logins and bundles below, commands above. */
import { readFile } from 'node:fs/promises';
import type { BoardDescription } from '../../board/board.ts';
import type { Clock } from '../../hal/clock.ts';
import type { SerialPorts } from '../../hal/serial-port.ts';
import type { AccountControl } from '../api/account-control.ts';
import type { ConfigurationControl } from '../api/configuration-control.ts';
import type { Configuration } from '../config/schema.ts';
import { loadProvisioningKey } from '../config/secrets/provisioning-key.ts';
import type { RandomSource } from '../protocol/machine.ts';
import { enrolmentPublicKey } from '../protocol/provisioning/bundle.ts';
import { ProvisioningDesk } from '../serial/provisioning-desk.ts';
import { SerialConsole } from '../serial/serial-console.ts';
import { configurationStateText } from './configuration-state-text.ts';
import { type SessionAccounts, sessionsOf } from './console-sessions.ts';
import { sentence } from './sentence.ts';
import { startSerialShell } from './serial-shell.ts';
import { VERSION } from './version.ts';

export interface BoardConsoleParts {
  readonly board: Pick<BoardDescription, 'consoleDevice' | 'enrolmentKey'>;
  readonly ports: SerialPorts;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly accounts: AccountControl & SessionAccounts;
  readonly config: Pick<ConfigurationControl, 'state' | 'commit'>;
  readonly inForce: () => Configuration;
  readonly stateDirectory: string;
  /** Where the device key is, which is there once the configuration has been opened. */
  readonly keyDirectory: string;
  /** What has become of a bundle. */
  readonly onBundle?: (accepted: boolean) => void;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

/** @returns what is to be started; `undefined` for a board without a console. */
export async function boardConsole(parts: BoardConsoleParts): Promise<SerialConsole | undefined> {
  const { board, accounts, config, stateDirectory, inForce } = parts;
  if (board.consoleDevice === undefined) return undefined;
  const isFresh = () => config.state().state === 'factory';
  const provisioning = await provisioningDesk(parts, isFresh);
  return new SerialConsole({
    ...parts,
    path: board.consoleDevice,
    sessions: sessionsOf(accounts),
    idleMs: () => inForce().system.console.idleMinutes * 60_000,
    startShell: (session, line) => startSerialShell(stateDirectory, session, line),
    ...(provisioning === undefined ? {} : { provisioning }),
    facts: () => {
      const initialPassword = accounts.initialPassword();
      const forBundles = isFresh() ? (provisioning?.words() ?? []) : [];
      return {
        hostname: inForce().system.hostname,
        version: VERSION,
        state: [...configurationStateText(config.state()), ...forBundles],
        ...(initialPassword === undefined ? {} : { initialPassword }),
      };
    },
  });
}

/** What is missing costs bundles, or those that are signed, and never the console. */
async function provisioningDesk(
  parts: BoardConsoleParts,
  isFresh: () => boolean,
): Promise<ProvisioningDesk | undefined> {
  const { config, keyDirectory, log } = parts;
  try {
    const privateKey = await loadProvisioningKey(keyDirectory);
    if (privateKey === undefined) {
      log('there is no device key, and the console takes no bundles');
      return undefined;
    }
    const enrolmentKey = await enrolmentKeyOf(parts);
    return new ProvisioningDesk({
      ...parts,
      privateKey,
      isFresh,
      commit: (text, fileName, request) => config.commit(text, fileName, request),
      ...(enrolmentKey === undefined ? {} : { enrolmentKey }),
    });
  } catch (error) {
    log(`the console takes no bundles: ${sentence(error)}`);
    return undefined;
  }
}

async function enrolmentKeyOf({ board: { enrolmentKey: file }, log }: BoardConsoleParts) {
  if (file === undefined) return undefined;
  const pem = await readFile(file, 'utf8').catch(() => '');
  const key = enrolmentPublicKey(pem);
  if (key === undefined) log(`the enrolment key ${file} is no Ed25519 public key in PEM: bundles need a code`);
  return key;
}
