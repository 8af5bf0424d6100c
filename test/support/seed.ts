/** Loaded before every test file: property tests start from the seed that `scripts/test` prints and `--seed` repeats. */
import { configureGlobal } from 'fast-check';

const seed = Number(process.env['CULVERT_SEED']);
if (Number.isInteger(seed)) configureGlobal({ seed });
