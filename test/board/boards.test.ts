import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkBoard } from '../../firmware/router/board-schema.ts';
import { BOARDS, detectBoard, loadBoard } from '../../firmware/router/load-board.ts';
import { machineIdentity } from '../../hal/linux/machine-identity.ts';
import type { MachineIdentity } from '../../hal/machine-identity.ts';

const NOTHING: MachineIdentity = { compatible: [], vendor: '', product: '', devices: ['eth0'] };

describe('the boards that come with the program', () => {
  it('are those that were promised', () => {
    expect(BOARDS.map(({ name }) => name)).toEqual([
      'raspberry-pi-4',
      'raspberry-pi-5',
      'raspberry-pi-cm4-dual-nic',
      'nanopi-r5s',
      'openwrt-generic',
      'pc-amd64',
      'simulated',
    ]);
  });

  it.each(BOARDS.map((board) => [board.name, board] as const))('%s is data that a file could hold', (_name, board) => {
    const file: unknown = JSON.parse(JSON.stringify(board));
    expect(checkBoard(file)).toEqual({ ok: true, board });
  });

  it.each(BOARDS.map((board) => [board.name, board] as const))('%s agrees with itself', (_name, board) => {
    const { nics = [], leds, factoryLan } = board;
    const ports = nics.map(({ device }) => device);
    const lan = nics.filter(({ role }) => role === 'lan').map(({ device }) => device);
    if (factoryLan !== undefined) expect(lan).toContain(factoryLan.device);
    for (const { purpose, nic } of leds) {
      if (nic !== undefined) expect(ports).toContain(nic);
      if (nic !== undefined) expect(purpose).toBe('lan');
    }
    expect(leds.some(({ purpose }) => purpose === 'power')).toBe(true);
  });
});

describe('which board it is', () => {
  const detect = (machine: Partial<MachineIdentity>) => detectBoard({ ...NOTHING, ...machine }).board.name;

  it.each([
    ['raspberry-pi-4', { compatible: ['raspberrypi,4-model-b', 'brcm,bcm2711'] }],
    ['raspberry-pi-5', { compatible: ['raspberrypi,5-model-b', 'brcm,bcm2712'] }],
    [
      'raspberry-pi-cm4-dual-nic',
      { compatible: ['raspberrypi,4-compute-module', 'brcm,bcm2711'], devices: ['eth0', 'eth1', 'lo'] },
    ],
    ['simulated', { compatible: ['raspberrypi,4-compute-module', 'brcm,bcm2711'] }],
    ['nanopi-r5s', { compatible: ['friendlyarm,nanopi-r5s', 'rockchip,rk3568'] }],
    ['openwrt-generic', { compatible: ['glinet,gl-mt3000', 'mediatek,mt7981'] }],
    ['pc-amd64', { vendor: 'PC Engines', product: 'apu2' }],
    ['simulated', { vendor: 'LENOVO', product: '20XW' }],
    ['simulated', {}],
  ] as const)('%s of what the machine says', (name, machine) => {
    expect(detect(machine)).toBe(name);
  });

  it('goes by the most special name', () => {
    const of = (name: string, compatible: string) => ({
      ...BOARDS[0],
      name,
      description: '',
      leds: [],
      buttons: [],
      match: { compatible: [compatible] },
    });
    const boards = [of('chip', 'maker,chip'), of('board', 'maker,board')];
    const found = detectBoard({ ...NOTHING, compatible: ['maker,board', 'maker,chip'] }, boards);
    expect(found).toMatchObject({ board: { name: 'board' }, why: 'its device tree says maker,board' });
  });

  it('is read where the kernel tells it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'culvert-identity-'));
    for (const folder of ['proc/device-tree', 'sys/class/dmi/id', 'sys/class/net/eth7'])
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'proc/device-tree/compatible'), 'raspberrypi,5-model-b\0brcm,bcm2712\0');
    writeFileSync(join(root, 'sys/class/dmi/id/sys_vendor'), 'PC Engines\n');
    try {
      expect(await machineIdentity(root)).toEqual({
        compatible: ['raspberrypi,5-model-b', 'brcm,bcm2712'],
        vendor: 'PC Engines',
        product: '',
        devices: ['eth7'],
      });
      expect(await machineIdentity(join(root, 'nothing'))).toEqual({ ...NOTHING, devices: [] });
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('a board file', () => {
  const board = { name: 'mine', description: 'mine', leds: [], buttons: [] };

  it('is all that a new board needs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'culvert-board-'));
    const file = join(folder, 'mine.json');
    const mine = {
      ...board,
      leds: [{ purpose: 'vpn', gpio: { chip: 'pinctrl-rp1', line: 17, activeLow: false } }],
      buttons: [{ purpose: 'reset', gpio: { chip: 'pinctrl-rp1', line: 3, activeLow: true } }],
    };
    writeFileSync(file, JSON.stringify(mine));
    expect(await loadBoard(file)).toEqual(mine);
    writeFileSync(file, JSON.stringify({ ...mine, leds: [{ purpose: 'vpn' }] }));
    await expect(loadBoard(file)).rejects.toThrow(
      `the board file ${file} is not a board description: /leds/0 needs one of devices, gpio, file; correct it there`,
    );
    rmSync(folder, { recursive: true });
    await expect(loadBoard(file)).rejects.toThrow('cannot be read');
  });

  it.each([
    ['/leds/0', { leds: [{ purpose: 'party', devices: ['a'] }] }],
    ['/buttons/0 needs one of gpio, key, file', { buttons: [{ purpose: 'reset', key: 408, file: 'reset' }] }],
    ['/buttons/0', { buttons: [{ purpose: 'reset', file: '../../etc/passwd' }] }],
    ['/leds/0/nic', { leds: [{ purpose: 'lan', file: 'lan', nic: 'a name that is too long' }] }],
    ['/factoryLan', { factoryLan: { device: 'eth0', address: '192.168.88.1' } }],
    ['/watchdog', { watchdog: { device: '/dev/watchdog', timeoutSeconds: 1 } }],
    ['', { colour: 'red' }],
  ])('that is wrong is refused with where: %s', (where, wrong) => {
    const checked = checkBoard({ ...board, ...wrong });
    expect(checked.ok).toBe(false);
    if (!checked.ok) expect(checked.problem).toContain(where);
  });

  it('that is none of ours is said with those that are', async () => {
    await expect(loadBoard('rasberry')).rejects.toThrow('use raspberry-pi-4, raspberry-pi-5,');
  });
});
