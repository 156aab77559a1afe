// The same query in Azure's portal.

import { gzipped } from './pack';

const RESOURCE = /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/(?:microsoft\.insights\/components|microsoft\.operationalinsights\/workspaces)\/[\w.()-]+$/i;

/** A resource's id without blanks around it; undefined if it names no Application Insights resource and no workspace. */
export function resourceId(text: string): string | undefined {
  const id = text.trim().replace(/\/+$/, '');
  return RESOURCE.test(id) ? id : undefined;
}

/** A link that opens a query in the Logs of a resource. */
export async function azureLink(id: string, query: string, timespan: string): Promise<string> {
  const part = encodeURIComponent;
  return `https://portal.azure.com/#blade/Microsoft_Azure_Monitoring_Logs/LogsBlade/resourceId/${part(id)}/source/LogsBlade.AnalyticsShareLinkToQuery/q/${part(await gzipped(query))}/timespan/${part(timespan)}`;
}
