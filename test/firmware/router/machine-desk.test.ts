import { beforeEach, describe, expect, it } from 'vitest';
import type { ConfigurationState } from '../../../firmware/api/configuration-control.ts';
import type { MachineRequest } from '../../../firmware/api/router-control.ts';
import { MachineDesk } from '../../../firmware/router/machine-desk.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedMachineControl } from '../../../hal/simulated/machine-control.ts';

const author = { who: 'alice', via: 'cli' } as const;
const MINUTE = 60_000;

let machine: SimulatedMachineControl;
let clock: SimulatedClock;
let state: ConfigurationState;
let logged: string[];
let ended: number;
let desk: MachineDesk;
beforeEach(() => {
  machine = new SimulatedMachineControl();
  clock = new SimulatedClock();
  state = { revision: 7, state: 'confirmed' };
  logged = [];
  ended = 0;
  const log = (line: unknown) => void logged.push(String(line));
  desk = new MachineDesk({
    machine,
    clock,
    logger: { warn: log, error: log },
    configurationState: () => state,
    end: () => {
      ended += 1;
    },
  });
});

const ask = (action: MachineRequest['action'], more: Partial<MachineRequest> = {}) =>
  desk.request({ action, author, minutes: 0, evenPending: false, ...more });

describe('the end of the machine', () => {
  it('is asked of the machine at once, and logged with whoever has asked', async () => {
    expect(await ask('reboot')).toEqual({ ok: true });
    expect(await ask('poweroff')).toEqual({ ok: true });
    expect(machine.performed).toEqual(['reboot', 'poweroff']);
    expect(logged[0]).toBe('alice (cli) has asked for it: the router reboots the machine');
  });

  it('that the machine refuses is told in its words, and the router runs on', async () => {
    machine.refusal = 'The machine does not reboot: run culvert as root.';
    expect(await ask('reboot')).toMatchObject({ ok: false, reason: machine.refusal.slice(0, -1) });
    expect(logged.at(-1)).toContain('the router runs on: The machine does not reboot');
  });

  it('of the firmware comes behind the answer to whoever has asked', async () => {
    expect(await ask('restart')).toEqual({ ok: true });
    expect(ended).toBe(0);
    await new Promise(setImmediate);
    expect(ended).toBe(1);
    expect(machine.performed).toEqual([]);
  });

  it('waits for what waits for its confirmation, unless that is meant', async () => {
    state = { revision: 8, state: 'pending', parent: 7 };
    for (const action of ['reboot', 'restart'] as const) {
      expect(await ask(action)).toMatchObject({
        ok: false,
        reason: 'revision 8 waits for its confirmation, and the next start takes it back: revision 7 would be in force',
        remedy: expect.stringMatching(/"culvert confirm", or say --yes to "culvert (reboot|restart firmware)"/),
      });
    }
    expect([machine.performed, ended]).toEqual([[], 0]);
    expect(await ask('reboot', { evenPending: true })).toEqual({ ok: true });
    expect(machine.performed).toEqual(['reboot']);
  });

  it('comes after so many minutes, is a warning until then, and can be taken back', async () => {
    expect(await ask('reboot', { minutes: 5 })).toEqual({ ok: true });
    clock.advance(MINUTE + 1);
    expect(desk.warning).toMatch(/^in 4 min the router reboots the machine, unless .*"culvert reboot --cancel"$/);
    expect(desk.cancel(author)).toEqual({ ok: true });
    expect(desk.warning).toBeUndefined();
    expect(desk.cancel(author)).toMatchObject({ ok: false });
    clock.advance(10 * MINUTE);
    expect(machine.performed).toEqual([]);

    await ask('reboot', { minutes: 5 });
    // The last word counts.
    await ask('poweroff', { minutes: 2 });
    clock.advance(10 * MINUTE);
    expect(machine.performed).toEqual(['poweroff']);
    expect(desk.warning).toBeUndefined();
    await ask('reboot', { minutes: 5 });
    desk.stop();
    expect(clock.nextTimer).toBeUndefined();
  });
});
