/** What only a kernel shows of {@link LinuxSerialPorts}. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { HalError } from '../../../hal/hal-error.ts';
import type { Contract } from '../contract/contract.ts';
import type { SerialWorld } from '../contract/serial-port.ts';

export const linuxSerialCases: Contract<SerialWorld> = {
  name: 'a serial line on Linux',
  cases: [
    {
      name: 'has the speed that was asked for, and 8 data bits without parity',
      run: async ({ ports, path }) => {
        const port = await ports.open({ path, baud: 115_200 });
        const settings = execFileSync('stty', ['-F', path, '-a'], { encoding: 'utf8' });
        assert.match(settings, /speed 115200 baud/);
        assert.match(settings, /-parenb.* cs8 .*-cstopb/s);
        assert.match(settings, /-icanon/);
        await port.close();
      },
    },
    {
      name: 'does not become the controlling terminal',
      run: async ({ ports, path }) => {
        const port = await ports.open({ path, baud: 115_200 });
        // Field 7 is tty_nr (proc(5)); the name of the program, field 2, may have blanks in it.
        const [, after = ''] = readFileSync('/proc/self/stat', 'utf8').split(') ');
        const before = after.split(' ')[4];
        assert.equal(before, '0');
        await port.close();
      },
    },
    {
      name: 'refuses a file that is no serial line, and a speed that is none',
      run: async ({ ports, path }) => {
        await assert.rejects(ports.open({ path: '/dev/null', baud: 115_200 }), (error) => error instanceof HalError);
        await assert.rejects(ports.open({ path, baud: 0 }), (error) => error instanceof HalError);
      },
    },
    {
      name: 'keeps a descriptor that is lent open until it has it back, though the line is lost',
      run: async ({ ports, path, pull }) => {
        const port = await ports.open({ path, baud: 115_200 });
        const descriptor = port.lend();
        const isOpen = () => existsSync(`/proc/self/fd/${descriptor}`);
        pull();
        await port.ended;
        for (let turn = 0; turn < 50; turn += 1) await setImmediate();
        assert.ok(isOpen(), 'it is closed while another one uses it');
        port.takeBack();
        await port.close();
        assert.ok(!isOpen(), 'it is still open');
      },
    },
    {
      name: 'reads no more when the other end is gone',
      run: async ({ ports, path, pull }) => {
        const port = await ports.open({ path, baud: 115_200 });
        pull();
        await port.ended;
        // What the far end has begun is over by then.
        for (let turn = 0; turn < 50; turn += 1) await setImmediate();
        assert.ok(!process.getActiveResourcesInfo().includes('FSReqCallback'), 'it still reads');
      },
    },
  ],
};
