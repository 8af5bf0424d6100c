/**
 * A contract: what every implementation of a port does, as a list of sentences. The same list runs against the simulated
 * implementation within vitest and against the Linux one in a process with a network namespace of its own.
 */

export interface ContractCase<World> {
  /** A sentence about behaviour. */
  readonly name: string;
  readonly run: (world: World) => void | Promise<void>;
}

export interface Contract<World> {
  /** The port. */
  readonly name: string;
  readonly cases: readonly ContractCase<World>[];
}

/** One world for one case: an implementation and the means to see its effects. */
export interface OpenWorld<World> {
  readonly world: World;
  /** Closes and removes all that the case and the world opened. */
  close(): void | Promise<void>;
}

export type WorldMaker<World> = () => OpenWorld<World> | Promise<OpenWorld<World>>;

/** A contract together with the worlds it runs in. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly { readonly name: string; readonly run: () => Promise<void> }[];
}

/** Each case gets a world of its own. */
export function suiteOf<World>(contract: Contract<World>, makeWorld: WorldMaker<World>): Suite {
  return {
    name: contract.name,
    cases: contract.cases.map(({ name, run }) => ({
      name,
      run: async () => {
        const open = await makeWorld();
        try {
          await run(open.world);
        } finally {
          await open.close();
        }
      },
    })),
  };
}

/** The last thing first, each even when another fails. */
export function closeAll(resources: readonly { close(): void }[]): void {
  for (const resource of resources.toReversed()) resource.close();
}
