/** A factory-fresh router gets its configuration over its console from a laptop, and its uplink comes up. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sealBundle } from '../../firmware/protocol/provisioning/bundle.ts';
import { privateKeyFrom, publicTextOf } from '../../firmware/protocol/provisioning/bundle-keys.ts';
import { BLOCK_OCTETS } from '../../firmware/protocol/provisioning/frames.ts';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeConfiguration,
} from '../../scripts/lab/branch-network.ts';
import { CHECKOUT, LabCulvert } from '../../scripts/lab/culvert.ts';
import { type RunResult, run, tryRun } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { ConsoleCable, type Cut } from './console-cable.ts';
import { answering, dialling, waitForIpsec } from './ipsec-support.ts';
import { ping, waitForState } from './site-pair.ts';

/** Of the noise. */
const SEEDS = [1, 2, 3];

const PASSWORD = 'nine green lanterns';

/** What a technician reads on the console of a new router. */
interface Banner {
  readonly device: string;
  readonly code: string;
  readonly password: string;
}

let folder: string;
let network: BranchNetwork;
let office: LabCulvert;
let branch: LabCulvert | undefined;
let cable: ConsoleCable;

const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-laptop-'));
  const configuration = branchConfiguration({ ipsec: 'hq' }, { ipsec: dialling(2) });
  writeFileSync(file('branch-12.json'), JSON.stringify(configuration, undefined, 2));
  writeFileSync(file('password'), `${PASSWORD}\n`);
  await run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', file('enrolment.key')]);
  await run(['openssl', 'pkey', '-in', file('enrolment.key'), '-pubout', '-out', file('enrolment.pub')]);
  network = await createBranchNetwork('namespace');
  office = new LabCulvert({
    name: 'office',
    namespace: network.office,
    configuration: officeConfiguration({ ipsec: 'branches' }, { ipsec: answering(2) }),
  });
  await office.start();
});
afterAll(async () => {
  await office?.remove();
  network?.delete();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  cable = new ConsoleCable();
});
afterEach(async () => {
  await branch?.remove();
  branch = undefined;
  cable.remove();
});

/** A router as it leaves the factory, with its console at the end of the cable. */
async function freshRouter(board: object = {}): Promise<LabCulvert> {
  const console = {
    name: 'lab',
    description: 'a board of the lab',
    leds: [],
    buttons: [],
    consoleDevice: cable.device,
  };
  branch = new LabCulvert({
    name: 'branch',
    namespace: network.branch,
    configuration: {},
    board: { ...console, ...board },
  });
  await branch.start({ given: false });
  await cable.opened(branch);
  return branch;
}

async function readBanner(): Promise<Banner> {
  // ^C: a transfer may wait there, which throws away what is typed behind it. ^U ^D: whoever was asked for a name goes away.
  await cable.type('\u0003', /login: $/);
  await cable.type('\u0015\u0004', /Press Enter to log in\.\r\n$/);
  const shown = await cable.type('\r', /login: $/);
  const [, device = '', code = ''] = /device key (\S+)\s+Provisioning: code (\S+)/.exec(shown) ?? [];
  const [, password = ''] = /First login: user admin, password (\S+)/.exec(shown) ?? [];
  return { device, code, password };
}

function make(name: string, device: string, ...options: readonly string[]): Promise<RunResult> {
  const files = [file('branch-12.json'), file(name)] as const;
  const culvert = join(CHECKOUT, 'scripts/culvert');
  return tryRun([culvert, 'provision', 'make-bundle', ...files, '--force', `--device-key=${device}`, ...options]);
}

async function makeByCode(name: string, { device, code }: Banner): Promise<void> {
  const made = await make(name, device, `--code=${code}`, `--admin-password-file=${file('password')}`);
  expect(made).toMatchObject({ code: 0, stderr: '' });
}

async function expectUplink(router: LabCulvert): Promise<void> {
  await waitForState(router, 'hq', 'up');
  await waitForIpsec(router, 'hq', 'up');
  await waitFor('an answer from head office', () => ping(network.branchHost, addresses.officeHost));
}

/** The router is as it came from the factory, and the same as before. */
async function expectUnchanged(router: LabCulvert, before: Banner): Promise<void> {
  expect(await router.configurations.state()).toMatchObject({ state: 'factory' });
  expect((await router.configurations.history()).revisions).toEqual([]);
  expect((await router.status()).l2tp).toEqual([]);
  expect(await readBanner()).toEqual(before);
}

/** A failure is one sentence on stderr: what happened, and what to do. */
function expectRefusal(result: RunResult, words: RegExp): void {
  expect(result.stderr).toMatch(words);
  expect(result.stderr.trimEnd()).not.toContain('\n');
  expect(result.code).toBe(1);
}

describe('a factory-fresh router', () => {
  it('has its uplink up after a bundle with the code of its console, and the password that came with it', async () => {
    const router = await freshRouter();
    const banner = await readBanner();
    expect(banner.device).toMatch(/^[\w-]{43}$/);
    expect(banner.code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    await makeByCode('one.bundle', banner);
    for (const secret of [PASSWORD, 'alice-pw', 'branch-12'])
      expect(readFileSync(file('one.bundle'), 'utf8')).not.toContain(secret);
    const { code, stdout, stderr } = await cable.provision(file('one.bundle'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^culvert answers, with Culvert \S+\n(\d+ % is acknowledged\n)+revision 1 is in force\n/);
    expect(stdout).toContain('100 % is acknowledged');
    expect(stdout).toContain('the password of admin is set');
    await expectUplink(router);
    const shown = await cable.type('\r', /branch-12 login: $/);
    expect(shown).not.toMatch(/First login|Provisioning/);
    await cable.type('admin\r', /Password: $/);
    expect(await cable.type(`${banner.password}\r`, /login: $/)).toContain('wrong');
    await cable.type('admin\r', /Password: $/);
    await cable.type(`${PASSWORD}\r`, /branch-12> $/);
    expect(await cable.type('show history\r', /branch-12> $/)).toMatch(/provisioning/);
    // Who may do that ends the session of whoever is on the console.
    const sessions = JSON.parse((await router.culvert('user', 'sessions', '--json')).stdout);
    expect(sessions).toMatchObject([{ user: 'admin', via: 'console' }]);
    expect(await router.culvert('user', 'revoke', sessions[0].id)).toMatchObject({ code: 0 });
    await cable.sees(/Logged out: the session was ended elsewhere.*\r\nPress Enter to log in\.\r\n$/s);
    for (const secret of [PASSWORD, banner.password, banner.code, 'alice-pw'])
      expect(router.log()).not.toContain(secret);
  });

  it('has its uplink up after a bundle that the enrolment key of its image has signed', async () => {
    const router = await freshRouter({
      enrolmentKey: cable.provide('enrolment.pub', readFileSync(file('enrolment.pub'))),
    });
    const { device, password } = await readBanner();
    const made = await make('signed.bundle', device, `--enrolment-key=${file('enrolment.key')}`);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const done = await cable.provision(file('signed.bundle'), {}, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ ok: true, lines: ['revision 1 is in force'] });
    expect(done.code).toBe(0);
    await expectUplink(router);
    // It brought no password: the initial one stands, and has to be changed.
    await cable.type('\r', /branch-12 login: $/);
    await cable.type('admin\r', /Password: $/);
    await cable.type(`${password}\r`, /New password: $/);
  });

  it.each(SEEDS)('gets its bundle over a line that swallows and damages octets (seed %i)', async (seed) => {
    const router = await freshRouter();
    await makeByCode('noise.bundle', await readBanner());
    // A block is a line of 530 octets: about every third one is damaged.
    const noise = { random: new SeededRandom(seed), lost: 0.0004, changed: 0.0004 };
    const { code, stdout, stderr } = await cable.provision(file('noise.bundle'), { noise });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('revision 1 is in force');
    expect(cable.damaged).toBeGreaterThan(0);
    await expectUplink(router);
  });
});

const LAST = () => Math.ceil(statSync(file('cut.bundle')).size / BLOCK_OCTETS);
const hex = (number: number) => number.toString(16).padStart(4, '0');

const CUTS: readonly (readonly [where: string, cut: () => Cut])[] = [
  ['before the router is called', () => ({ from: 'laptop', before: 'culvert-provision' })],
  ['before the header', () => ({ from: 'laptop', before: ':H' })],
  ['before the first block', () => ({ from: 'laptop', before: ':D0001' })],
  ['in the middle', () => ({ from: 'laptop', before: `:D${hex(LAST() >> 1)}` })],
  ['before the acknowledgement of the last block', () => ({ from: 'router', before: `:A${hex(LAST())}` })],
];

describe('a cable that is pulled', () => {
  it.each(CUTS)('%s leaves nothing changed, and the router takes the whole bundle afterwards', async (_, cut) => {
    const router = await freshRouter();
    const banner = await readBanner();
    await makeByCode('cut.bundle', banner);
    const pulled = await cable.provision(file('cut.bundle'), { cut: cut() });
    expectRefusal(
      pulled,
      /^culvert: the cable was pulled \(.+\), and nothing was changed: plug it in and send it again$/m,
    );
    await expectUnchanged(router, banner);
    expect(await cable.provision(file('cut.bundle'))).toMatchObject({ code: 0, stderr: '' });
    await expectUplink(router);
  });

  it('with the console device itself is no other matter', async () => {
    const router = await freshRouter();
    const banner = await readBanner();
    await makeByCode('cut.bundle', banner);
    const pulled = await cable.provision(file('cut.bundle'), { cut: { from: 'router', before: ':A0002' } });
    expectRefusal(pulled, /nothing was changed/);
    cable.replug();
    await cable.opened(router, 2);
    await expectUnchanged(router, banner);
    expect(await cable.provision(file('cut.bundle'))).toMatchObject({ code: 0, stderr: '' });
    await expectUplink(router);
  });

  it('once the router has all does not keep it from its work, and nobody is told that nothing was changed', async () => {
    const router = await freshRouter();
    await makeByCode('cut.bundle', await readBanner());
    const cut = { from: 'router', before: `:A${hex(LAST() + 1)}` } as const;
    const pulled = await cable.provision(file('cut.bundle'), { cut });
    expectRefusal(
      pulled,
      /whether the router has the whole bundle is not known: look at "show history" on its console/,
    );
    await expectUplink(router);
    const again = await cable.provision(file('cut.bundle'));
    expectRefusal(again, /this router has a configuration: log in on its console as an administrator/);
  });
});

describe('a bundle that is not for this router, or not from somebody who may give it one,', () => {
  it('is refused in words, changes nothing, and leaves the way free for the right one', async () => {
    const router = await freshRouter();
    const banner = await readBanner();
    const { device, code } = banner;
    await makeByCode('guess.bundle', { ...banner, code: code === '0000-0000' ? '1111-1111' : '0000-0000' });
    expectRefusal(
      await cable.provision(file('guess.bundle')),
      /the code is wrong.*check it on the console, it can be tried twice more/,
    );
    await expectUnchanged(router, banner);

    await makeByCode('other.bundle', {
      ...banner,
      device: publicTextOf(privateKeyFrom(new SeededRandom(1).bytes(32))),
    });
    expectRefusal(
      await cable.provision(file('other.bundle')),
      new RegExp(`is for another router than culvert, whose device key is ${device}: make one for that`),
    );
    await expectUnchanged(router, banner);

    const unsigned = await make('signed.bundle', device, `--enrolment-key=${file('enrolment.key')}`);
    expect(unsigned).toMatchObject({ code: 0 });
    expectRefusal(
      await cable.provision(file('signed.bundle')),
      /this router has no enrolment key: make the bundle with the code that the console shows/,
    );
    await expectUnchanged(router, banner);

    // The command makes none of a wrong configuration; another version may have taken it for right.
    const content = { configuration: '{"system":{"hostnmae":"x"}}', fileName: 'x.json', adminPassword: PASSWORD };
    writeFileSync(file('wrong.bundle'), sealBundle(content, device, { code }, new SeededRandom(2)));
    expectRefusal(
      await cable.provision(file('wrong.bundle')),
      /the configuration is refused, and nothing was changed; system\.hostnmae: .*did you mean "hostname"\?/,
    );
    await expectUnchanged(router, banner);

    await makeByCode('right.bundle', banner);
    expect(await cable.provision(file('right.bundle'))).toMatchObject({ code: 0, stderr: '' });
    await expectUplink(router);
  });
});
