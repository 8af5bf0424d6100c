/** Our nftables table: set when it should be another one, or when somebody else laid hands on it. */
import type { PacketFilter } from '../../hal/packet-filter.ts';
import type { Failure } from '../protocol/machine.ts';
import type { DesiredNetwork } from './desired.ts';
import { filterBody } from './filter.ts';
import { FILTER_TABLE } from './marks.ts';
import { stepFailure } from './step.ts';

/** Where a run writes down what it does. */
export interface FilterNotes {
  readonly change: (line: string) => void;
  readonly command: (text: string) => void;
  readonly fail: (failure: Failure) => void;
}

interface Known {
  /** What was wanted last; empty: no table. */
  readonly body: string;
  /** What the system showed right after it was set. */
  readonly shown: string | undefined;
}

export class FilterTable {
  readonly #filter: PacketFilter;
  /** `undefined`: not known, an earlier run of the program may have left a table. */
  #known: Known | undefined;

  constructor(filter: PacketFilter, known?: Known) {
    this.#filter = filter;
    this.#known = known;
  }

  /** The same table on paper: what is done to it touches nothing. */
  rehearsal(): FilterTable {
    return new FilterTable(new PaperFilter(this.#filter), this.#known);
  }

  /** @returns false when the table could not be set. */
  async apply(desired: DesiredNetwork, notes: FilterNotes): Promise<boolean> {
    const body = filterBody(desired);
    const known = this.#known;
    if (known?.body !== body)
      return await this.#set(body, desired, notes, known && `packet filter table ${FILTER_TABLE}`);
    if (body === '') return true;
    const shown = await this.#show();
    if (shown === known.shown) return true;
    const what = shown === undefined ? 'removed' : 'changed';
    const line = `packet filter table ${FILTER_TABLE} was ${what} by somebody else, and is set again`;
    return await this.#set(body, desired, notes, line, line);
  }

  /** Whatever there is of it goes. @throws HalError. */
  async remove(): Promise<void> {
    await this.#filter.removeTable(FILTER_TABLE);
    this.#known = { body: '', shown: undefined };
  }

  async #set(
    body: string,
    desired: DesiredNetwork,
    notes: FilterNotes,
    known: string | undefined,
    line = `packet filter table ${FILTER_TABLE} ${body === '' ? 'removed' : 'set'}`,
  ): Promise<boolean> {
    const tell = known !== undefined || body !== '';
    if (tell) notes.command(filterCommand(body));
    if (!(await this.#replace(body, notes))) {
      // A kernel without socket matching must not cost the branch the rest of the table; it is not tried again and again.
      const plainer = filterBody(desired, false);
      if (plainer === body || !(await this.#replace(plainer, notes))) return false;
    }
    this.#known = { body, shown: body === '' ? undefined : await this.#show() };
    if (tell) notes.change(line);
    return true;
  }

  async #replace(body: string, notes: FilterNotes): Promise<boolean> {
    try {
      if (body === '') await this.#filter.removeTable(FILTER_TABLE);
      else await this.#filter.replaceTable(FILTER_TABLE, body);
      return true;
    } catch (error) {
      notes.fail(stepFailure('packet filter', error));
      return false;
    }
  }

  /** What cannot be read is taken for what it was: setting it again and again would help nobody. */
  async #show(): Promise<string | undefined> {
    try {
      return await this.#filter.show(FILTER_TABLE);
    } catch {
      return this.#known?.shown;
    }
  }
}

/** In short: the whole table is replaced at once, and a person wants to know by what. */
function filterCommand(body: string): string {
  if (body === '') return `nft delete table inet ${FILTER_TABLE}`;
  const chains = body.split(/^ {2}(?=chain )/m).flatMap((text) => {
    const name = /^chain (\S+) \{/.exec(text)?.[1];
    if (name === undefined) return [];
    const rules = text.split('\n').filter((line) => /^ {4}\S/.test(line) && !/^ {4}(type|\})/.test(line)).length;
    return [`chain ${name} of ${rules} ${rules === 1 ? 'line' : 'lines'}`];
  });
  return `nft -f - # the whole table inet ${FILTER_TABLE}: ${chains.join(', ')}`;
}

/** Shows what the real one shows until something is done to it, and then that. */
class PaperFilter implements PacketFilter {
  readonly #real: PacketFilter;
  readonly #tables = new Map<string, string | undefined>();

  constructor(real: PacketFilter) {
    this.#real = real;
  }

  async show(name: string): Promise<string | undefined> {
    return this.#tables.has(name) ? this.#tables.get(name) : await this.#real.show(name);
  }

  async replaceTable(name: string, body: string): Promise<void> {
    this.#tables.set(name, body);
  }

  async removeTable(name: string): Promise<void> {
    this.#tables.set(name, undefined);
  }
}
