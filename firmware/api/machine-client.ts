/** The client's side of the end of the firmware or of the machine. */
import type { Author } from '../config/store/revision.ts';
import type { CommandResult, MachineRequest } from './router-control.ts';
import { ControlTransport, commandResult } from './transport.ts';

/** @throws ControlClientError when no router answers. */
export async function askMachine(stateDir: string, request: MachineRequest): Promise<CommandResult> {
  const { action, author, minutes, evenPending } = request;
  const query = new URLSearchParams({ ...author, minutes: String(minutes), yes: String(evenPending) });
  return commandResult(await new ControlTransport(stateDir).call('POST', `/v1/machine/${action}?${query}`));
}

/** @throws ControlClientError likewise. */
export async function cancelMachine(stateDir: string, author: Author): Promise<CommandResult> {
  const query = new URLSearchParams({ ...author });
  return commandResult(await new ControlTransport(stateDir).call('DELETE', `/v1/machine?${query}`));
}
