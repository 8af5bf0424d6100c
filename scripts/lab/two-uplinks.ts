/**
 * A branch with two lines to the internet, and head office behind it.
 *
 *   branch host --- branch router ==eth0== internet === head office --- office host
 *   192.168.12.10   .1            ==eth1==
 *                   10.21.0.9 / 10.22.0.9           10.20.0.2
 */
import { addDefaultRoute, connect, createNamespace, type Namespace } from './namespaces.ts';
import { run } from './shell.ts';

export const LINES = {
  dsl: { device: 'eth0', far: 'wdsl', address: '10.21.0.9', gateway: '10.21.0.1' },
  lte: { device: 'eth1', far: 'wlte', address: '10.22.0.9', gateway: '10.22.0.1' },
} as const;

export type LineName = keyof typeof LINES;

export const places = {
  office: '10.20.0.2',
  officeHost: '10.99.0.10',
  officeNetwork: '10.99.0.0/24',
  branchLan: '192.168.12.1',
  branchNetwork: '192.168.12.0/24',
} as const;

/**
 * - `silent`: nothing passes, both ways; the cable says nothing of it;
 * - `lossy`: 40 % of what comes from the branch is lost;
 * - `walled`: the gateway answers, and nothing goes further.
 */
export type Trouble = 'silent' | 'lossy' | 'walled';

const TABLE = 'trouble';

export class TwoUplinks {
  readonly internet: Namespace;
  readonly branch: Namespace;
  readonly branchHost: Namespace;
  readonly office: Namespace;
  readonly officeHost: Namespace;

  private constructor(internet: Namespace, sites: readonly [Namespace, Namespace, Namespace, Namespace]) {
    this.internet = internet;
    [this.branch, this.branchHost, this.office, this.officeHost] = sites;
  }

  static async create(): Promise<TwoUplinks> {
    const [internet, branch, branchHost, office, officeHost] = [
      await createNamespace('internet'),
      await createNamespace('branch'),
      await createNamespace('branchhost'),
      await createNamespace('office'),
      await createNamespace('officehost'),
    ];
    for (const { device, far, gateway } of Object.values(LINES)) {
      const end = { namespace: internet, device: far, addresses: [`${gateway}/24`] };
      await connect(end, { namespace: branch, device });
    }
    await connect(
      { namespace: internet, device: 'woffice', addresses: ['10.20.0.1/24'] },
      { namespace: office, device: 'eth0' },
    );
    await connect(
      { namespace: branch, device: 'lan0' },
      { namespace: branchHost, device: 'eth0', addresses: ['192.168.12.10/24'] },
    );
    await connect(
      { namespace: office, device: 'lan0' },
      { namespace: officeHost, device: 'eth0', addresses: [`${places.officeHost}/24`] },
    );
    await addDefaultRoute(branchHost, places.branchLan);
    await addDefaultRoute(officeHost, '10.99.0.1');
    await internet.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    return new TwoUplinks(internet, [branch, branchHost, office, officeHost]);
  }

  /** From now on; one trouble at a time. */
  async trouble(line: LineName, what: Trouble): Promise<void> {
    await this.heal();
    const { far } = LINES[line];
    const verdict = what === 'lossy' ? 'numgen random mod 100 < 40 drop' : 'drop';
    const input = what === 'walled' ? '' : `iifname ${far} ${verdict}`;
    const output = what === 'silent' ? `oifname ${far} drop` : '';
    await this.#nft(`table inet ${TABLE} {
      chain input { type filter hook input priority 0; ${input}
      }
      chain forward { type filter hook forward priority 0; iifname ${far} ${verdict}; ${what === 'lossy' ? '' : `oifname ${far} drop`}
      }
      chain output { type filter hook output priority 0; ${output}
      }
    }`);
  }

  /** All is well again. */
  async heal(): Promise<void> {
    await this.#nft(`table inet ${TABLE}\ndelete table inet ${TABLE}\n`);
  }

  /** The far end of the cable goes down, or comes up again. */
  async plug(line: LineName, plugged: boolean): Promise<void> {
    await this.internet.ip('link', 'set', LINES[line].far, plugged ? 'up' : 'down');
  }

  delete(): void {
    for (const namespace of [this.branchHost, this.branch, this.officeHost, this.office, this.internet])
      namespace.delete();
  }

  async #nft(input: string): Promise<void> {
    await run(this.internet.command('nft', '-f', '-'), { input });
  }
}

/** `interfaces` and `uplinks` of the branch. @param overlay laid over both uplinks. */
export function branchUplinks(overlay: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const lines = Object.entries(LINES);
  const wans = lines.map(([name, { device, address, gateway }]) => [
    name,
    { device, zone: 'wan', ipv4: { method: 'static', address: `${address}/24`, gateway } },
  ]);
  const lan = { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: `${places.branchLan}/24` } };
  return {
    system: { hostname: 'branch-12' },
    interfaces: { ...Object.fromEntries(wans), lan },
    uplinks: {
      dsl: { type: 'ethernet', interface: 'dsl', priority: 1, ...overlay },
      lte: { type: 'ethernet', interface: 'lte', priority: 2, ...overlay },
    },
  };
}

/** `interfaces` of head office. */
export function officeSite(): Record<string, unknown> {
  return {
    system: { hostname: 'head-office' },
    interfaces: {
      wan: {
        device: 'eth0',
        zone: 'wan',
        ipv4: { method: 'static', address: `${places.office}/24`, gateway: '10.20.0.1' },
      },
      lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '10.99.0.1/24' } },
    },
  };
}
