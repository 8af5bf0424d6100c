import type { IpsecKeysResult } from '../api/router-control.ts';
import { ownEntry } from '../config/schema.ts';
import { keyLines } from '../diagnosis/decode/keys/key-writer.ts';
import type { ConnectionSet } from './connection-set.ts';

/**
 * Keys of all SAs that stand, as lines of Wireshark's tables.
 * @param name of an IPsec connection, or of an L2TP client or server that uses one; absent: of all.
 */
export function ipsecKeys({ configuration, ipsec }: ConnectionSet, name: string | undefined): IpsecKeysResult {
  const { l2tp } = configuration;
  const names = Object.keys(configuration.ipsec.connections);
  const user = name === undefined ? undefined : (ownEntry(l2tp.clients, name) ?? ownEntry(l2tp.servers, name));
  const wanted = name === undefined || names.includes(name) ? name : user?.ipsec;
  if (name !== undefined && wanted === undefined) {
    const remedy = names.length === 0 ? 'there is none in the configuration' : `choose one of ${names.join(', ')}`;
    return { ok: false, reason: `there is no IPsec connection ${JSON.stringify(name)}`, remedy, notFound: names };
  }
  const secrets = (ipsec?.secrets() ?? []).filter(({ connection }) => wanted === undefined || connection === wanted);
  return {
    ok: true,
    keys: secrets.flatMap((one) => keyLines(one).map((key) => ({ connection: one.connection, ...key }))),
  };
}
