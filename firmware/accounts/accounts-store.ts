/** What the accounts need of the store's thread. */
import type { ConfigurationStore } from '../config/store/configuration-store.ts';

export type AccountsStore = Pick<ConfigurationStore, 'loadAccounts' | 'changeAccounts' | 'addAudit' | 'readAudit'>;
