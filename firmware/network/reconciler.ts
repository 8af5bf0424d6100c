/**
 * Makes the machine's network what it should be: looks at what is there, changes the difference, and can take all of it
 * back. Running it again changes nothing; after a crash it is simply run again.
 */
import type { Links, Route, Rule } from '../../hal/links.ts';
import type { PacketFilter } from '../../hal/packet-filter.ts';
import type { Configuration } from '../config/schema.ts';
import { reasonOf } from '../config/state-file.ts';
import type { Failure } from '../protocol/machine.ts';
import { type DesiredNetwork, desiredAddresses, desiredLinks, desiredNetwork, type LiveTunnel } from './desired.ts';
import { filterBody } from './filter.ts';
import type { JournalEntry, NetworkJournal } from './journal.ts';
import { FILTER_TABLE, MAIN_TABLE, TUNNEL_TABLE } from './marks.ts';
import { isOurRule, isOurs } from './ownership.ts';
import { planLinks } from './plan-links.ts';
import { planRouting, routeRemoval, ruleRemoval } from './plan-routing.ts';
import { type Step, stepFailure } from './step.ts';
import { desiredSysctls, isWantedSysctl, tunnelSysctls, type WantedSysctl } from './sysctls.ts';
import { ACCEPT_REDIRECTS_KEY, FORWARDING_KEY, sameDestination, sysctlKeys, undoSteps } from './undo.ts';

const REVERSE_PATH_KEY = 'rp_filter';

export interface ReconcilerOptions {
  readonly links: Links;
  readonly packetFilter: PacketFilter;
  readonly journal: NetworkJournal;
  /** Called with one line per change and per failure. */
  readonly log: (line: string) => void;
}

export interface ReconcileInput {
  readonly configuration: Configuration;
  /** Tunnels whose device stands and whose network layer is open. */
  readonly tunnels: readonly LiveTunnel[];
}

export interface ReconcileReport {
  /** What was changed, one line each, in order; empty when everything was right. */
  readonly changes: readonly string[];
  /** What could not be done; the rest was done all the same. */
  readonly failures: readonly Failure[];
}

export class Reconciler {
  readonly #links: Links;
  readonly #filter: PacketFilter;
  readonly #journal: NetworkJournal;
  readonly #log: (line: string) => void;
  /** One run at a time. */
  #tail: Promise<unknown> = Promise.resolve();
  /** The run that waits for its turn, with the newest input. */
  #waiting: { input: ReconcileInput; readonly run: Promise<ReconcileReport> } | undefined;
  #closed = false;
  /** What our nftables table holds; `undefined`: not known, an earlier run may have left one. */
  #filterBody: string | undefined;

  constructor(options: ReconcilerOptions) {
    this.#links = options.links;
    this.#filter = options.packetFilter;
    this.#journal = options.journal;
    this.#log = options.log;
  }

  /**
   * Asks for a run. While one is under way, further calls share the next one, which takes the newest input. Never
   * rejects; after {@link close} it changes nothing.
   */
  reconcile(input: ReconcileInput): Promise<ReconcileReport> {
    if (this.#waiting !== undefined) {
      this.#waiting.input = input;
      return this.#waiting.run;
    }
    const run = this.#inTurn(async () => {
      const newest = this.#waiting?.input ?? input;
      this.#waiting = undefined;
      return this.#closed ? { changes: [], failures: [] } : await this.#guard((run) => this.#reconcile(newest, run));
    });
    this.#waiting = { input, run };
    return run;
  }

  /** What {@link reconcile} would change now, one line each; nothing is changed. */
  async preview(input: ReconcileInput): Promise<readonly string[]> {
    const { changes } = await this.#inTurn(() => this.#guard((run) => this.#reconcile(input, run), true));
    return changes;
  }

  /**
   * Takes back whatever a crashed run left, by the journal and by our marks. To be called once before the first
   * {@link reconcile}; harmless when nothing was left.
   */
  restore(): Promise<ReconcileReport> {
    return this.#inTurn(() =>
      this.#guard(async (run) => {
        const damage = await this.#journal.load();
        if (damage !== undefined) {
          run.fail({ step: 'network', reason: damage, remedy: 'check addresses and links, or restart the machine' });
        }
        await this.#restore(run);
      }),
    );
  }

  /** The machine as it was before the start. Nothing is changed afterwards. */
  close(): Promise<ReconcileReport> {
    this.#closed = true;
    return this.#inTurn(() => this.#guard((run) => this.#restore(run)));
  }

  async #reconcile({ configuration, tunnels }: ReconcileInput, run: Run): Promise<void> {
    const present = await this.#links.links();
    // A tunnel that fell since it was reported is none.
    const standing = tunnels.filter(({ device }) => present.some(({ name }) => name === device));
    // First, because the kernel gives and takes addresses by them.
    await this.#execute(await this.#setSysctls(standing.flatMap(tunnelSysctls)), run);
    const addresses = await this.#links.addresses();
    const plan = planLinks(
      {
        links: desiredLinks(configuration),
        addresses: desiredAddresses(configuration, standing),
        tunnelDevices: new Set(standing.map(({ device }) => device)),
      },
      { links: present, addresses },
      this.#journal.entries,
    );
    plan.failures.forEach(run.fail);
    if (!run.dry) await this.#journal.forget(plan.void);
    // What must not come in clear does not come before it is known: an address draws packets, and so does forwarding.
    if (plan.steps.length > 0 && !run.dry) await this.#guardAhead(configuration, standing, run);
    await this.#execute(plan.steps, run);

    // New addresses bring connected networks with them, and removed ones take routes: so this is read only now.
    const [main, table, rules] = await Promise.all([
      this.#routes(MAIN_TABLE),
      this.#routes(TUNNEL_TABLE),
      this.#rules(),
    ]);
    const desired = desiredNetwork(configuration, {
      tunnels: standing,
      mainRoutes: main,
      reversePathFilter: await this.#filtersReversePath(configuration),
    });
    const devices = new Set(present.map(({ name }) => name));
    // What should lead over a device that is not there has been reported with the device.
    const routes = desired.routes.filter(({ device }) => device === undefined || devices.has(device));
    const routing = planRouting({ routes, rules: desired.rules }, { routes: [...main, ...table], rules });
    routing.failures.forEach(run.fail);
    await this.#execute(routing.steps, run);
    const orphaned = this.#journal.entries.filter(
      (entry) => entry.kind === 'displaced-route' && !routes.some((route) => sameDestination(route, entry.route)),
    );
    await this.#execute(await this.#undo(orphaned), run);
    await this.#applyFilter(desired, run);
    await this.#execute(await this.#sysctlSteps(configuration, desired), run);
  }

  /** The packet filter as it will be, as far as it is known before links and addresses are there. */
  async #guardAhead(configuration: Configuration, tunnels: readonly LiveTunnel[], run: Run): Promise<void> {
    const mainRoutes = await this.#routes(MAIN_TABLE);
    const reversePathFilter = await this.#filtersReversePath(configuration);
    const desired = desiredNetwork(configuration, { tunnels, mainRoutes, reversePathFilter });
    if (desired.guards.length > 0) await this.#applyFilter(desired, run);
  }

  /** @returns false when the table could not be set. */
  async #applyFilter(desired: DesiredNetwork, run: Run, socketMatching = true): Promise<boolean> {
    const body = filterBody(desired, socketMatching);
    if (body === this.#filterBody) return true;
    const known = this.#filterBody !== undefined;
    if (run.dry) {
      run.change(`packet filter table ${FILTER_TABLE} ${body === '' ? 'removed' : 'set'}`);
      return true;
    }
    try {
      if (body === '') await this.#filter.removeTable(FILTER_TABLE);
      else await this.#filter.replaceTable(FILTER_TABLE, body);
    } catch (error) {
      run.fail(stepFailure('packet filter', error));
      if (filterBody(desired, false) === body) return false;
      // A kernel without socket matching must not cost the branch the rest of the table; it is not tried again and again.
      const applied = await this.#applyFilter(desired, run, false);
      if (applied) this.#filterBody = body;
      return applied;
    }
    this.#filterBody = body;
    if (known || body !== '') run.change(`packet filter table ${FILTER_TABLE} ${body === '' ? 'removed' : 'set'}`);
    return true;
  }

  async #sysctlSteps(configuration: Configuration, desired: DesiredNetwork): Promise<Step[]> {
    const steps: Step[] = [];
    const entries = this.#journal.entries;
    const unwanted = entries.filter(
      (entry) =>
        (entry.kind === 'forwarding' && !desired.forwarding) ||
        (entry.kind === 'sysctl' && !isWantedSysctl(entry.key, desired)),
    );
    if (unwanted.length > 0) steps.push(...(await this.#undo(unwanted)));
    steps.push(...(await this.#setSysctls(desiredSysctls(configuration, desired))));
    if (desired.forwarding && (await this.#links.getSysctl(FORWARDING_KEY)) === '0') {
      steps.push({
        done: 'forwarding switched on',
        run: (links) => links.setSysctl(FORWARDING_KEY, '1'),
        records: { kind: 'forwarding', acceptRedirects: (await this.#sysctl(ACCEPT_REDIRECTS_KEY)) ?? '' },
      });
    }
    return steps;
  }

  /** Steps for those parameters that are there and have another value; `from`: only where they have this one. */
  async #setSysctls(wanted: readonly WantedSysctl[]): Promise<Step[]> {
    const steps: Step[] = [];
    for (const { key, from, to, undone } of wanted) {
      const current = await this.#sysctl(key);
      if (current === undefined || current === to || (from !== undefined && current !== from)) continue;
      steps.push({
        done: `${key} set to ${to}`,
        run: (links) => links.setSysctl(key, to),
        ...(undone ? { records: { kind: 'sysctl', key, from: current, to } as const } : {}),
      });
    }
    return steps;
  }

  async #restore(run: Run): Promise<void> {
    try {
      await this.#restoreLinks(run);
    } finally {
      // Last: until then there may be addresses and forwarding for what comes in clear.
      try {
        await this.#filter.removeTable(FILTER_TABLE);
        this.#filterBody = '';
      } catch (error) {
        run.fail(stepFailure('packet filter', error));
      }
    }
    // What could not be undone stays written down for the next start.
    if (this.#journal.entries.length === 0) await this.#journal.discard();
  }

  async #restoreLinks(run: Run): Promise<void> {
    const rules = (await this.#rules()).filter(isOurRule);
    const routes = [...(await this.#routes(TUNNEL_TABLE)), ...(await this.#routes(MAIN_TABLE))];
    await this.#execute([...rules.map(ruleRemoval), ...routes.filter(isOurs).map(routeRemoval)], run);
    await this.#execute(await this.#undo(this.#journal.entries), run);
  }

  /** The steps that undo `entries`; those that are void are forgotten. */
  async #undo(entries: readonly JournalEntry[]): Promise<readonly Step[]> {
    if (entries.length === 0) return [];
    const sysctls = new Map<string, string>();
    for (const key of sysctlKeys(entries)) {
      const value = await this.#sysctl(key);
      if (value !== undefined) sysctls.set(key, value);
    }
    const tables = new Set(entries.flatMap((entry) => (entry.kind === 'displaced-route' ? [entry.route.table] : [])));
    const routes: Route[] = [];
    for (const table of tables) routes.push(...(await this.#routes(table)));
    const [links, addresses] = [await this.#links.links(), await this.#links.addresses()];
    const { steps, void: stale } = undoSteps(entries, { links, addresses, sysctls, routes });
    await this.#journal.forget(stale);
    return steps;
  }

  /** Writes down what has to be, then does the steps one after the other; one that fails does not stop the rest. */
  async #execute(steps: readonly Step[], run: Run): Promise<void> {
    if (run.dry) {
      for (const { done } of steps) run.change(done);
      return;
    }
    await this.#journal.record(steps.flatMap(({ records }) => (records === undefined ? [] : [records])));
    const forget: JournalEntry[] = [];
    for (const step of steps) {
      try {
        await step.run(this.#links);
        run.change(step.done);
        forget.push(...(step.forgets ?? []));
      } catch (error) {
        run.fail(stepFailure('network', error));
        if (step.records !== undefined) forget.push(step.records);
      }
    }
    await this.#journal.forget(forget);
  }

  /** Whether a reply to an outer socket may be dropped because an unmarked packet would be routed elsewhere. */
  async #filtersReversePath(configuration: Configuration): Promise<boolean> {
    const devices = Object.values(configuration.interfaces).map(({ device }) => device.replaceAll('.', '/'));
    for (const device of ['all', ...devices]) {
      const value = await this.#sysctl(`net.ipv4.conf.${device}.${REVERSE_PATH_KEY}`);
      if (value !== undefined && value !== '0') return true;
    }
    return false;
  }

  /** Of both families. */
  async #routes(table: number): Promise<readonly Route[]> {
    return [...(await this.#links.routes(4, table)), ...(await ofIpv6(this.#links.routes(6, table)))];
  }

  async #rules(): Promise<readonly Rule[]> {
    return [...(await this.#links.rules(4)), ...(await ofIpv6(this.#links.rules(6)))];
  }

  /** A parameter that this kernel may not have. */
  async #sysctl(key: string): Promise<string | undefined> {
    try {
      return await this.#links.getSysctl(key);
    } catch {
      return undefined;
    }
  }

  /** Collects what a run does, and turns whatever is thrown into a failure of the run. */
  async #guard(task: (run: Run) => Promise<void>, dry = false): Promise<ReconcileReport> {
    const changes: string[] = [];
    const failures: Failure[] = [];
    const log = dry ? () => undefined : this.#log;
    const run: Run = {
      dry,
      change: (line) => {
        changes.push(line);
        log(`network: ${line}`);
      },
      fail: (failure) => {
        failures.push(failure);
        log(`network: ${failure.reason}; ${failure.remedy}`);
      },
    };
    try {
      await task(run);
    } catch (error) {
      run.fail(stepFailure('network', new Error(reasonOf(error))));
    }
    return { changes, failures };
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(task, task);
    this.#tail = turn;
    return turn;
  }
}

/** A kernel without IPv6 has nothing of it, and says so as an error. */
function ofIpv6<T>(found: Promise<readonly T[]>): Promise<readonly T[]> {
  return found.catch(() => []);
}

interface Run {
  /** Nothing is done, and what would be done is told. */
  readonly dry: boolean;
  readonly change: (line: string) => void;
  readonly fail: (failure: Failure) => void;
}
