import type { Configuration } from '../../../firmware/config/schema.ts';
import { largeDocument } from '../../../scripts/lab/large-document.ts';
import { parsed } from './example.ts';

/** {@link largeDocument} with every default filled in. */
export function largeConfiguration(entries: number): Configuration {
  return parsed(largeDocument(entries));
}
