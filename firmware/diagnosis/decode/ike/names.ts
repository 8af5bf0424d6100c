/** Numbers to names: tables of registries, and what a number without a name is called. */

export type Names = Readonly<Record<number, string | undefined>>;

/** Name of a number; `what 77` where it has none. */
export function nameOf(names: Names, number: number, what: string): string {
  return names[number] ?? `${what} ${number}`;
}

/** Key and value of a table changed for one another. */
export function byNumber(numbers: Readonly<Record<string, number>>): Names {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [number, name]));
}
