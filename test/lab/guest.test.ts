import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { builtInKernel, debianKernel, findGuestKernel, type GuestKernel } from '../../scripts/lab/kernel.ts';
import { addTap, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { describeWithGuests } from './needs.ts';
import { processesWith } from './processes.ts';

const labKernel = process.env['CULVERT_LAB_KERNEL'] ?? '';

/** What a guest must do whatever its kernel is. */
function describeGuest(name: string, chooseKernel: () => Promise<GuestKernel>): void {
  describeWithGuests(name, () => {
    let namespace: Namespace;
    let guest: Guest;

    beforeAll(async () => {
      namespace = await createNamespace('guest');
      await addTap({ namespace, device: 'tap0', addresses: ['10.20.0.1/24'] });
      guest = await startGuest({
        name: 'box',
        namespace,
        cards: [{ tap: 'tap0', addresses: ['10.20.0.2/24', 'fd20::2/64'] }],
        gateway: '10.20.0.1',
        kernel: await chooseKernel(),
      });
    });

    afterAll(async () => {
      await guest?.stop();
      namespace?.delete();
    });

    it('runs a command, as root, on a kernel of its own', async () => {
      expect(await guest.exec('id -u; hostname')).toBe('0\nbox\n');
      expect(await guest.exec('</proc/version read -r line; echo "$line"')).not.toBe('');
      expect(guest.console()).toContain('Linux version');
    });

    it('has its network card on the TAP device', async () => {
      await namespace.run('ping', '-c', '1', '-W', '2', '10.20.0.2');
      await guest.exec('ping -c 1 -W 2 10.20.0.1');
      expect(await guest.exec('ip route show default')).toContain('via 10.20.0.1');
    });

    it('gives exit code, output and errors of a command apart', async () => {
      expect(await guest.tryExec('echo out; echo err >&2; exit 7')).toEqual({
        code: 7,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    it('says which command failed, and why', async () => {
      await expect(guest.exec('ls /nowhere')).rejects.toThrow(
        /in guest box: `ls \/nowhere` failed with exit code 2: .*nowhere/,
      );
    });

    it('runs commands at the same time', async () => {
      const [first, second] = await Promise.all([
        guest.exec('until [[ -e /run/second ]]; do sleep 0.02; done; echo first'),
        guest.exec('touch /run/second; echo second'),
      ]);
      expect([first, second]).toEqual(['first\n', 'second\n']);
    });

    it('ends a command whose time is up', async () => {
      await expect(guest.exec('sleep 1000', { timeoutMs: 200 })).rejects.toThrow('did not finish in time');
    });

    it('writes files in memory only: the host does not see them', async () => {
      await guest.install([{ path: '/etc/culvert-lab/it is', content: 'a $HOME\n', mode: 0o640 }]);
      expect(await guest.exec("cat '/etc/culvert-lab/it is'; stat -c %a '/etc/culvert-lab/it is'")).toBe(
        'a $HOME\n640\n',
      );
      expect(existsSync('/etc/culvert-lab')).toBe(false);
    });

    it('keeps a program running after the call, with its log', async () => {
      await guest.spawn('counter', "bash -c 'echo started; sleep 1000'");
      await guest.exec('until grep -q started /lab/counter.log; do sleep 0.02; done');
      expect(guest.log('counter')).toBe('started\n');
      await guest.exec('pgrep -f "sleep 1000"');
    });

    it('has what L2TP and PPP need', async () => {
      await guest.exec('modprobe -qa l2tp_ppp l2tp_netlink ppp_async; test -c /dev/ppp && test -e /proc/net/pppol2tp');
    });

    it('is gone after stop: processes and files', async () => {
      const { share } = guest;
      expect(processesWith(share)).not.toEqual([]);
      await guest.stop();
      await guest.stop(); // a second time is harmless
      expect(processesWith(share)).toEqual([]);
      expect(existsSync(share)).toBe(false);
    });
  });
}

describeGuest("a guest with Debian's kernel", () => Promise.resolve(debianKernel()));

if (labKernel === '') {
  describe.skip('a guest with the kernel of CULVERT_LAB_KERNEL (skipped: the variable is not set)', () => {
    it('runs a command', () => {});
  });
} else {
  describeGuest('a guest with the kernel of CULVERT_LAB_KERNEL', () => builtInKernel(labKernel));
}

describeWithGuests('starting a guest', () => {
  it('fails when the TAP device of a card is not there, and says so', async () => {
    const namespace = await createNamespace('no-tap');
    const started = startGuest({ name: 'lame', namespace, cards: [{ tap: 'nowhere0', addresses: ['10.0.0.1/8'] }] });
    await expect(started).rejects.toThrow(/"nowhere0" does not exist/);
    expect(processesWith('lab.name=lame')).toEqual([]);
    namespace.delete();
  });

  it('says which kernel it uses, and why', async () => {
    const kernel = await findGuestKernel();
    expect(kernel.description).toMatch(labKernel === '' ? /Debian's User Mode Linux/ : /CULVERT_LAB_KERNEL/);
    expect(existsSync(kernel.path)).toBe(true);
  });

  it('refuses a kernel that does not exist, with the name of the variable', async () => {
    await expect(builtInKernel('/nowhere/linux.xz')).rejects.toThrow(/CULVERT_LAB_KERNEL names \/nowhere\/linux\.xz/);
  });
});
