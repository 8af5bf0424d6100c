/** Reboot and power-off by whoever is process 1: systemd, or an init to which /sbin/reboot speaks. */
import { existsSync } from 'node:fs';
import { HalError } from '../hal-error.ts';
import type { MachineAction, MachineControl } from '../machine-control.ts';
import { runProgram } from './run-program.ts';

/** There only while systemd is process 1 (sd_booted(3)). */
const SYSTEMD = '/run/systemd/system';

/** What it works with; handed in by tests, which must not take their machine down. */
export interface MachinePrograms {
  readonly run: typeof runProgram;
  readonly exists: (path: string) => boolean;
}

export class LinuxMachineControl implements MachineControl {
  readonly #programs: MachinePrograms;

  constructor(programs: MachinePrograms = { run: runProgram, exists: existsSync }) {
    this.#programs = programs;
  }

  async perform(action: MachineAction): Promise<void> {
    const { run, exists } = this.#programs;
    const systemd = exists(SYSTEMD);
    const program = systemd ? 'systemctl' : `/sbin/${action}`;
    const args = systemd ? ['--no-ask-password', action] : [];
    const { status, stdout, stderr } = await run(program, args, systemd ? 'systemd' : 'of the init system');
    if (status === 0) return;
    const said = (stderr || stdout).trim().split('\n')[0] ?? '';
    const why = said === '' ? `ended with ${status}` : `says ${JSON.stringify(said)}`;
    const remedy = systemd
      ? `run culvert as root, or allow this to its user (polkit: org.freedesktop.login1.${POLKIT[action]})`
      : 'run culvert as root';
    throw new HalError(`The machine does not ${WORDS[action]}, ${program} ${why}: ${remedy}.`, 'EPERM');
  }
}

const POLKIT = { reboot: 'reboot', poweroff: 'power-off' } as const;
const WORDS = { reboot: 'reboot', poweroff: 'power off' } as const;
