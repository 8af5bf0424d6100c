import { describe, expect, it } from 'vitest';
import { LinuxMachineControl } from '../../hal/linux/machine-control.ts';
import { SimulatedMachineControl } from '../../hal/simulated/machine-control.ts';

function linux(systemd: boolean, answer = { status: 0, stdout: '', stderr: '' }) {
  const ran: (readonly string[])[] = [];
  const control = new LinuxMachineControl({
    run: async (program, args) => {
      ran.push([program, ...args]);
      return answer;
    },
    exists: (path) => systemd && path === '/run/systemd/system',
  });
  return { control, ran };
}

describe('the machine', () => {
  it('is told by systemd where that runs, and else by the program of its init', async () => {
    const managed = linux(true);
    await managed.control.perform('reboot');
    await managed.control.perform('poweroff');
    expect(managed.ran).toEqual([
      ['systemctl', '--no-ask-password', 'reboot'],
      ['systemctl', '--no-ask-password', 'poweroff'],
    ]);
    const plain = linux(false);
    await plain.control.perform('poweroff');
    expect(plain.ran).toEqual([['/sbin/poweroff']]);
  });

  it('says in words why it does not, and what to do', async () => {
    const denied = { status: 1, stdout: '', stderr: 'Access denied\nmore\n' };
    await expect(linux(true, denied).control.perform('poweroff')).rejects.toMatchObject({
      name: 'HalError',
      message:
        'The machine does not power off, systemctl says "Access denied": run culvert as root, or allow this to its user ' +
        '(polkit: org.freedesktop.login1.power-off).',
    });
    await expect(linux(false, { ...denied, stderr: '' }).control.perform('reboot')).rejects.toThrow(
      'The machine does not reboot, /sbin/reboot ended with 1: run culvert as root.',
    );
  });

  it('of a test only remembers it', async () => {
    const simulated = new SimulatedMachineControl();
    await simulated.perform('reboot');
    expect(simulated.performed).toEqual(['reboot']);
    simulated.refusal = 'The machine is made of paper.';
    await expect(simulated.perform('poweroff')).rejects.toMatchObject({ name: 'HalError' });
  });
});
