/** `culvert show ipsec --keys`: lines for key files. */
import type { IpsecKeys } from '../api/router-control.ts';

/** Lines of each table together, below a comment that names the table's file. */
export function keysText(keys: IpsecKeys): readonly string[] {
  const tables = [...new Set(keys.map(({ table }) => table))].sort();
  return tables.flatMap((table) => [
    `# ${table}`,
    ...keys.filter((key) => key.table === table).map(({ line }) => line),
  ]);
}
