import assert from 'node:assert/strict';
import type { PacketFilter } from '../../../hal/packet-filter.ts';
import type { Contract } from './contract.ts';

export interface PacketFilterWorld {
  readonly filter: PacketFilter;
  /** The table as the machine shows it; `undefined` when there is none. */
  table(name: string): Promise<string | undefined>;
}

/** A table's body that lets TCP to `port` in. */
const accepting = (port: number): string =>
  `chain input {\n  type filter hook input priority 0; policy accept;\n  tcp dport ${port} accept\n}`;

export const packetFilterContract: Contract<PacketFilterWorld> = {
  name: 'packet-filter',
  cases: [
    {
      name: 'a table that is missing is created',
      run: async ({ filter, table }) => {
        await filter.replaceTable('cvfilter', accepting(1111));
        assert.match((await table('cvfilter')) ?? '', /tcp dport 1111 accept/);
      },
    },
    {
      name: 'a table that is there is replaced whole: nothing of the old one stays',
      run: async ({ filter, table }) => {
        await filter.replaceTable('cvfilter', accepting(1111));
        await filter.replaceTable('cvfilter', accepting(2222));
        const shown = (await table('cvfilter')) ?? '';
        assert.match(shown, /tcp dport 2222 accept/);
        assert.doesNotMatch(shown, /1111/);
        assert.equal(shown.match(/chain input/g)?.length, 1);
      },
    },
    {
      name: 'a body that is wrong is refused in words, and the old table stays as it was',
      run: async ({ filter, table }) => {
        await filter.replaceTable('cvfilter', accepting(1111));
        const before = await table('cvfilter');
        await assert.rejects(filter.replaceTable('cvfilter', 'chain input {'), {
          name: 'HalError',
          code: 'EINVAL',
          message: /cvfilter cannot be set/,
        });
        assert.equal(await table('cvfilter'), before);
      },
    },
    {
      name: 'one table does not touch another',
      run: async ({ filter, table }) => {
        await filter.replaceTable('cvfilter', accepting(1111));
        await filter.replaceTable('cvother', accepting(2222));
        await filter.removeTable('cvfilter');
        assert.match((await table('cvother')) ?? '', /2222/);
      },
    },
    {
      name: 'a removed table is gone, and removing it again is harmless',
      run: async ({ filter, table }) => {
        await filter.replaceTable('cvfilter', accepting(1111));
        await filter.removeTable('cvfilter');
        assert.equal(await table('cvfilter'), undefined);
        await filter.removeTable('cvfilter');
      },
    },
    {
      name: 'what is shown stays the same until somebody changes the table, and is nothing when there is none',
      run: async ({ filter }) => {
        assert.equal(await filter.show('cvfilter'), undefined);
        await filter.replaceTable('cvfilter', accepting(1111));
        const shown = await filter.show('cvfilter');
        assert.match(shown ?? '', /tcp dport 1111 accept/);
        assert.equal(await filter.show('cvfilter'), shown);
        await filter.replaceTable('cvfilter', accepting(2222));
        assert.notEqual(await filter.show('cvfilter'), shown);
        await filter.removeTable('cvfilter');
        assert.equal(await filter.show('cvfilter'), undefined);
      },
    },
    {
      name: 'changes that are not awaited are made in order',
      run: async ({ filter, table }) => {
        await Promise.all([
          filter.replaceTable('cvfilter', accepting(1111)),
          filter.removeTable('cvfilter'),
          filter.replaceTable('cvfilter', accepting(3333)),
        ]);
        assert.match((await table('cvfilter')) ?? '', /3333/);
      },
    },
    {
      name: 'a name that would be more than a name is refused',
      run: async ({ filter }) => {
        for (const name of ['', 'a b', 'a;flush ruleset', '1a', 'a{', 'x'.repeat(65)]) {
          await assert.rejects(filter.replaceTable(name, ''), { name: 'HalError', code: 'EINVAL' }, name);
          await assert.rejects(filter.removeTable(name), { name: 'HalError', code: 'EINVAL' }, name);
        }
      },
    },
  ],
};
