/** What a process without capabilities is told. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Contract } from '../contract/contract.ts';
import type { UdpWorld } from '../contract/udp-socket.ts';
import type { Refusals } from './without-capabilities.ts';

const FIXTURE = new URL('./without-capabilities.ts', import.meta.url).pathname;

function refusals(): Refusals {
  const drop = ['--bounding-set', '-all', '--inh-caps', '-all', process.execPath, FIXTURE];
  return JSON.parse(execFileSync('setpriv', drop, { encoding: 'utf8' })) as Refusals;
}

export const capabilityCases: Contract<UdpWorld> = {
  name: 'linux-capabilities',
  cases: [
    {
      name: 'a process without capabilities knows what it lacks',
      run: () => {
        assert.deepEqual(refusals().missing, ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_NET_BIND_SERVICE']);
      },
    },
    {
      name: 'each thing refused for want of a capability names the capability and how to grant it',
      run: () => {
        const { errors } = refusals();
        const expected: Readonly<Record<string, readonly [string, string]>> = {
          tun: ['EPERM', 'CAP_NET_ADMIN'],
          mark: ['EPERM', 'CAP_NET_ADMIN'],
          port: ['EACCES', 'CAP_NET_BIND_SERVICE'],
          raw: ['EPERM', 'CAP_NET_RAW'],
          link: ['EPERM', 'CAP_NET_ADMIN'],
          filter: ['EPERM', 'CAP_NET_ADMIN'],
          sysctl: ['EPERM', 'CAP_NET_ADMIN'],
        };
        assert.deepEqual(Object.keys(errors), Object.keys(expected));
        for (const [step, [code, capability]] of Object.entries(expected)) {
          assert.equal(errors[step]?.code, code, step);
          assert.match(errors[step]?.message ?? '', new RegExp(`lacks ${capability}: run it as root, .*setpriv`), step);
        }
      },
    },
    {
      name: 'a process without capabilities can still open plain sockets, though with smaller buffers',
      run: () => {
        assert.ok(refusals().plainPort > 0);
      },
    },
  ],
};
