/**
 * One run over the machine's network, or over a copy of it: looks at what is there, changes the difference, and can take
 * all of it back.
 */
import { setImmediate } from 'node:timers/promises';
import { commandText } from '../../hal/link-command.ts';
import type { Links, NetworkState, Route } from '../../hal/links.ts';
import type { Configuration } from '../config/schema.ts';
import type { Failure } from '../protocol/machine.ts';
import { type DesiredNetwork, desiredAddresses, desiredLinks, desiredNetwork, type LiveTunnel } from './desired.ts';
import { routingFoundations } from './desired-routing.ts';
import type { FilterTable } from './filter-table.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { MAIN_TABLE } from './marks.ts';
import { isOurRule, isOurs, isOurTable, sameDestination } from './ownership.ts';
import { type LinkPlan, planLinks } from './plan-links.ts';
import { planRouting, routeRemoval, ruleRemovals } from './plan-routing.ts';
import { Settled } from './settled.ts';
import { type Step, stepFailure } from './step.ts';
import { desiredSysctls, isWantedSysctl, tunnelSysctls, type WantedSysctl } from './sysctls.ts';
import { ACCEPT_REDIRECTS_KEY, FORWARDING_KEY, sysctlKeys, undoSteps } from './undo.ts';
import type { LiveUplink } from './uplink-routing.ts';

const REVERSE_PATH_KEY = 'rp_filter';

/** Changes that are told between two pauses: a few milliseconds, since each is a line of the log. */
const CHANGES_AT_ONCE = 32;

export interface ReconcileInput {
  readonly configuration: Configuration;
  /** Tunnels whose device stands and whose network layer is open. */
  readonly tunnels: readonly LiveTunnel[];
  /** Uplinks that have an address. Default: none that had to be found out. */
  readonly uplinks?: readonly LiveUplink[];
}

/** What a run works on. */
export interface NetworkMachine {
  readonly links: Links;
  readonly filter: FilterTable;
  readonly journal: Journal;
}

export interface RunLog {
  readonly change: (line: string) => void;
  readonly fail: (failure: Failure) => void;
}

export class NetworkRun {
  /** What was done, a line each, in order. */
  readonly changes: string[] = [];
  readonly failures: Failure[] = [];
  /** The same as a person would type it; after `#` what cannot be done. */
  readonly commands: string[] = [];
  /** What is right now; `undefined` before a run that came to its end. */
  settled: Settled | undefined;
  readonly #links: Links;
  readonly #filter: FilterTable;
  readonly #journal: Journal;
  readonly #log: RunLog;
  readonly #before: Settled | undefined;
  readonly #refused = new Set<string>();

  /** @param before what was right when the last run ended. */
  constructor(machine: NetworkMachine, log: RunLog, before?: Settled) {
    this.#links = machine.links;
    this.#filter = machine.filter;
    this.#journal = machine.journal;
    this.#log = log;
    this.#before = before;
  }

  readonly fail = (failure: Failure): void => {
    this.failures.push(failure);
    this.#log.fail(failure);
  };

  async reconcile({ configuration, tunnels, uplinks: told = [] }: ReconcileInput): Promise<void> {
    let state = await this.#links.state();
    // A tunnel that fell since it was reported is none.
    const standing = tunnels.filter(({ device }) => state.links.some(({ name }) => name === device));
    const uplinks = told.filter(({ device }) => state.links.some(({ name }) => name === device));
    // First, because the kernel gives and takes addresses by them.
    const early = standing.flatMap(tunnelSysctls);
    if (await this.#execute(await this.#setSysctls(early), state)) state = await this.#links.state();
    const plan = planLinks(
      {
        links: desiredLinks(configuration),
        addresses: desiredAddresses(configuration, standing, uplinks),
        tunnelDevices: new Set(standing.map(({ device }) => device)),
      },
      state,
      this.#journal.entries,
    );
    plan.failures.forEach(this.#cannot);
    await this.#journal.forget(plan.void);
    const reversePathFilter = await this.#filtersReversePath(configuration, uplinks);
    // Reading and planning hundreds of routes takes some milliseconds each: others have their turn in between.
    const wanted = async (mainRoutes: readonly Route[]): Promise<DesiredNetwork> => {
      await setImmediate();
      const foundations = routingFoundations(configuration, standing, mainRoutes);
      await setImmediate();
      return desiredNetwork(configuration, { tunnels: standing, uplinks, mainRoutes, reversePathFilter }, foundations);
    };
    if (plan.steps.length > 0) {
      // What must not come in clear does not come before it is known: an address draws packets, and so does forwarding.
      const ahead = await wanted(mainTable(state));
      if (ahead.guards.length > 0) await this.#filter.apply(ahead, this.#notes);
      await this.#execute(plan.steps, state);
      // New addresses bring connected networks with them, and removed ones take routes.
      state = await this.#links.state();
    }
    const desired = await wanted(mainTable(state));
    await setImmediate();
    // What went with an address or a link was not taken by anybody.
    await this.#routing(desired, state, plan);
    await setImmediate();
    await this.#filter.apply(desired, this.#notes);
    await this.#execute(await this.#sysctlSteps(configuration, desired), state);
    const sysctls = [...early, ...desiredSysctls(configuration, desired)];
    this.settled = new Settled(desired, sysctls, state.links, this.#refused);
  }

  /** Takes back whatever is there of ours, by the journal and by our marks. */
  async restore(): Promise<void> {
    try {
      const state = await this.#links.state();
      const routes = ourTables(state).filter(isOurs).map(routeRemoval);
      await this.#execute([...ruleRemovals(state.rules.filter(isOurRule)), ...routes], state);
      await this.#execute(await this.#undo(this.#journal.entries), state);
    } finally {
      // Last: until then there may be addresses and forwarding for what comes in clear.
      try {
        await this.#filter.remove();
      } catch (error) {
        this.fail(stepFailure('packet filter', error));
      }
    }
  }

  async #routing(desired: DesiredNetwork, state: NetworkState, { steps, occupied }: LinkPlan): Promise<void> {
    const devices = new Set(state.links.map(({ name }) => name).filter((name) => !occupied.has(name)));
    // What should lead over a device that is not there has been reported with the device.
    const routes = desired.routes.filter(({ device }) => device === undefined || devices.has(device));
    const plan = planRouting({ routes, rules: desired.rules }, { routes: ourTables(state), rules: state.rules });
    plan.failures.forEach(this.#cannot);
    await this.#execute(plan.steps, steps.length === 0 ? state : undefined);
    const orphaned = this.#journal.entries.filter(
      (entry) => entry.kind === 'displaced-route' && !routes.some((route) => sameDestination(route, entry.route)),
    );
    await this.#execute(await this.#undo(orphaned));
  }

  async #sysctlSteps(configuration: Configuration, desired: DesiredNetwork): Promise<Step[]> {
    const entries = this.#journal.entries;
    const unwanted = entries.filter(
      (entry) =>
        (entry.kind === 'forwarding' && !desired.forwarding) ||
        (entry.kind === 'sysctl' && !isWantedSysctl(entry.key, desired)),
    );
    const steps = [
      ...(await this.#undo(unwanted)),
      ...(await this.#setSysctls(desiredSysctls(configuration, desired))),
    ];
    if (desired.forwarding && (await this.#links.getSysctl(FORWARDING_KEY)) === '0') {
      // What was there before we came is written down once: what it is after somebody else's change is nobody's wish.
      const known = entries.some(({ kind }) => kind === 'forwarding');
      const acceptRedirects = (await this.#sysctl(ACCEPT_REDIRECTS_KEY)) ?? '';
      steps.push({
        done: 'forwarding switched on',
        changes: [{ kind: 'set-sysctl', key: FORWARDING_KEY, value: '1' }],
        repaired: 'forwarding was switched off by somebody else, and is switched on again',
        ...(known ? {} : { records: { kind: 'forwarding', acceptRedirects } as const }),
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
        changes: [{ kind: 'set-sysctl', key, value: to }],
        repaired: `${key} was changed to ${current} by somebody else, and is set back to ${to}`,
        ...(undone ? { records: { kind: 'sysctl', key, from: current, to } as const } : {}),
      });
    }
    return steps;
  }

  /** The steps that undo `entries`; those that are void are forgotten. */
  async #undo(entries: readonly JournalEntry[]): Promise<readonly Step[]> {
    if (entries.length === 0) return [];
    const sysctls = new Map<string, string>();
    for (const key of sysctlKeys(entries)) {
      const value = await this.#sysctl(key);
      if (value !== undefined) sysctls.set(key, value);
    }
    const { steps, void: stale } = undoSteps(entries, { ...(await this.#links.state()), sysctls });
    await this.#journal.forget(stale);
    return steps;
  }

  /**
   * Writes down what has to be, then does the steps in their order; one that fails does not stop the rest.
   * @param state as it is before: what was right then and now has to be done again was somebody else's doing.
   * @returns whether there was anything to do.
   */
  async #execute(steps: readonly Step[], state?: NetworkState): Promise<boolean> {
    if (steps.length === 0) return false;
    const todo = steps.map((step) => {
      const damaged =
        step.repaired !== undefined && state !== undefined && this.#before?.includes(step, state.links) === true;
      // What was right is either in there already or was found so; what somebody made of it since is not what was found.
      const records = damaged && step.records?.kind !== 'displaced-route' ? undefined : step.records;
      return { step, records, done: damaged ? (step.repaired ?? step.done) : step.done };
    });
    await this.#journal.record(todo.flatMap(({ records }) => records ?? []));
    const errors = (await this.#links.apply(steps.flatMap(({ changes }) => changes))).values();
    const forget: JournalEntry[] = [];
    for (const [index, { step, records, done }] of todo.entries()) {
      if (index % CHANGES_AT_ONCE === CHANGES_AT_ONCE - 1) await setImmediate();
      const [error] = step.changes.flatMap((change) => {
        this.commands.push(commandText(change));
        const { value } = errors.next();
        if (value !== undefined) this.#refused.add(commandText(change));
        return value ?? [];
      });
      if (error === undefined) {
        this.#change(done);
        forget.push(...(step.forgets ?? []));
      } else {
        this.fail(stepFailure('network', error));
        // What was cut off in the middle may have been done.
        if (records !== undefined && error.code !== 'ETIMEDOUT') forget.push(records);
      }
    }
    await this.#journal.forget(forget);
    return true;
  }

  /** Whether a reply to an outer socket may be dropped because an unmarked packet would be routed elsewhere. */
  async #filtersReversePath({ interfaces }: Configuration, uplinks: readonly LiveUplink[]): Promise<boolean> {
    const known = [...Object.values(interfaces), ...uplinks].map(({ device }) => device.replaceAll('.', '/'));
    const devices = new Set(known);
    for (const device of ['all', ...devices]) {
      const value = await this.#sysctl(`net.ipv4.conf.${device}.${REVERSE_PATH_KEY}`);
      if (value !== undefined && value !== '0') return true;
    }
    return false;
  }

  /** A parameter that this kernel may not have. */
  async #sysctl(key: string): Promise<string | undefined> {
    try {
      return await this.#links.getSysctl(key);
    } catch {
      return undefined;
    }
  }

  readonly #change = (line: string): void => {
    this.changes.push(line);
    this.#log.change(line);
  };

  /** It is not even tried. */
  readonly #cannot = (failure: Failure): void => {
    this.commands.push(`# ${failure.reason}; ${failure.remedy}`);
    this.fail(failure);
  };

  readonly #notes = {
    change: this.#change,
    command: (text: string): void => void this.commands.push(text),
    fail: this.fail,
  };
}

function mainTable({ routes }: NetworkState): Route[] {
  return routes.filter(({ table }) => table === MAIN_TABLE);
}

function ourTables({ routes }: NetworkState): Route[] {
  return routes.filter(({ table }) => isOurTable(table));
}
