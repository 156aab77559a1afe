// Queries to begin with; each runs in Azure as it is.

export const STARTERS: { title: string; query: string }[] = [
  { title: 'Slowest operations', query: 'requests\n| summarize calls = sum(itemCount), p95 = percentile(duration, 95) by name, cloud_RoleName\n| order by p95 desc' },
  { title: 'Response times over time', query: 'requests\n| summarize percentiles(duration, 50, 95, 99) by bin(timestamp, 1m)\n| render timechart' },
  { title: 'Failed requests by code', query: 'requests\n| where success == false\n| summarize failed = sum(itemCount) by resultCode\n| render piechart' },
  { title: 'Exceptions by problem', query: 'exceptions\n| summarize count = sum(itemCount), first = min(timestamp), last = max(timestamp) by problemId, type\n| order by count desc' },
  { title: 'Calls to dependencies', query: 'dependencies\n| summarize calls = sum(itemCount), failed = sumif(itemCount, success == false), p95 = percentile(duration, 95) by type, target\n| order by calls desc' },
  { title: 'Time by target', query: 'dependencies\n| summarize total = sum(duration) by target\n| top 10 by total\n| render barchart' },
  { title: 'Logs by severity', query: 'traces\n| summarize logs = sum(itemCount) by bin(timestamp, 1m), severity = case(severityLevel == 0, "verbose", severityLevel == 1, "information", severityLevel == 2, "warning", severityLevel == 3, "error", "critical")\n| render columnchart' },
  { title: 'Requests with their exceptions', query: 'requests\n| join kind=inner (exceptions | project operation_Id, problem = problemId, message = outerMessage) on operation_Id\n| project timestamp, name, resultCode, duration, problem, message, operation_Id\n| order by timestamp desc\n| take 50' },
  { title: 'Custom metrics', query: 'customMetrics\n| summarize value = sum(valueSum) / sum(valueCount) by name, bin(timestamp, 1m)\n| render timechart' },
];
