import type { MetricsPageParts } from '../monitoring/metrics-page.ts';

/** What this process takes of the machine. */
export function processUsage(): ReturnType<MetricsPageParts['process']> {
  const { user, system } = process.cpuUsage();
  return {
    residentOctets: process.memoryUsage.rss(),
    processorSeconds: (user + system) / 1e6,
    runtime: `node ${process.version}`,
  };
}
