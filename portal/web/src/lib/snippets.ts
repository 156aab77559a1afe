// The few lines of set-up for each language.

export interface Snippet {
  id: string;
  label: string;
  code: string;
}

/** Where to set the connection string, in the syntax of shells and tools. */
export function variants(connection: string): Snippet[] {
  return [
    { id: 'env', label: 'Environment', code: `APPLICATIONINSIGHTS_CONNECTION_STRING="${connection}"` },
    { id: 'powershell', label: 'PowerShell', code: `$env:APPLICATIONINSIGHTS_CONNECTION_STRING = "${connection}"` },
    { id: 'launch', label: 'launchSettings', code: `"environmentVariables": {\n  "APPLICATIONINSIGHTS_CONNECTION_STRING": "${connection}"\n}` },
    { id: 'docker', label: 'Docker', code: `docker run --add-host=host.docker.internal:host-gateway \\\n  -e APPLICATIONINSIGHTS_CONNECTION_STRING="${connection.replaceAll('localhost', 'host.docker.internal').replaceAll('127.0.0.1', 'host.docker.internal')}" …` },
  ];
}

export function languages(connection: string, otlp: Record<string, string>): Snippet[] {
  return [
    {
      id: 'axum',
      label: 'axum',
      code: `// cargo add azmon azmon-tower
let telemetry = Telemetry::builder().service_name("shop").build()?;
tracing_subscriber::registry().with(telemetry.tracing_layer()).init(); // events become logs

let app = Router::new()
    .route("/orders/{id}", get(order))
    .layer(ServerLayer::new()); // requests

axum::serve(listener, app).await?;
telemetry.shutdown(Duration::from_secs(5))?;`,
    },
    { id: 'otel', label: 'OpenTelemetry', code: `# any language, with its usual exporter\n${Object.entries({ ...otlp, OTEL_SERVICE_NAME: 'shop' }).map(([name, value]) => `${name}=${value}`).join('\n')}` },
    { id: 'python', label: 'Python', code: `# pip install azure-monitor-opentelemetry\nfrom azure.monitor.opentelemetry import configure_azure_monitor\n\nconfigure_azure_monitor()  # reads the variable above` },
    { id: 'node', label: 'Node.js', code: `// npm install @azure/monitor-opentelemetry\nimport { useAzureMonitor } from "@azure/monitor-opentelemetry";\n\nuseAzureMonitor(); // before anything else is imported` },
    { id: 'dotnet', label: '.NET', code: `// dotnet add package Azure.Monitor.OpenTelemetry.AspNetCore\nvar builder = WebApplication.CreateBuilder(args);\nbuilder.Services.AddOpenTelemetry().UseAzureMonitor();` },
    { id: 'java', label: 'Java', code: `# applicationinsights-agent.jar beside the program\njava -javaagent:applicationinsights-agent.jar -jar shop.jar` },
    {
      id: 'browser',
      label: 'Browser',
      code: `// npm install @microsoft/applicationinsights-web
import { ApplicationInsights } from "@microsoft/applicationinsights-web";

const insights = new ApplicationInsights({ config: {
  connectionString: "${connection}",
  enableCorsCorrelation: true,
} });
insights.addTelemetryInitializer((item) => { item.tags["ai.cloud.role"] = "web"; });
insights.loadAppInsights();
insights.trackPageView();`,
    },
  ];
}

/** A request with a dependency and a trace, as an SDK would send them. */
export function testItems(iKey: string, now: Date): string {
  const hex = (length: number) => Array.from(crypto.getRandomValues(new Uint8Array(length / 2)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const [operation, request, call] = [hex(32), hex(16), hex(16)];
  const item = (type: string, at: number, parent: string | undefined, baseData: object) => ({
    name: `Microsoft.ApplicationInsights.${type.replace('Data', '')}`,
    time: new Date(now.getTime() + at).toISOString(),
    iKey,
    tags: { 'ai.cloud.role': 'test', 'ai.cloud.roleInstance': 'portal page', 'ai.operation.id': operation, 'ai.operation.name': 'GET /test', ...(parent ? { 'ai.operation.parentId': parent } : {}), 'ai.internal.sdkVersion': 'portal:1' },
    data: { baseType: type, baseData: { ver: 2, ...baseData } },
  });
  return [
    item('RequestData', 0, undefined, { id: request, name: 'GET /test', duration: '00:00:00.042', responseCode: '200', success: true, url: 'http://localhost/test' }),
    item('RemoteDependencyData', 5, request, { id: call, name: 'SELECT greeting', type: 'SQL', target: 'test-db', data: 'SELECT text FROM greeting WHERE id = ?', duration: '00:00:00.031', success: true }),
    item('MessageData', 40, request, { message: 'This is a test item, sent from the page itself', severityLevel: 1 }),
  ].map((one) => JSON.stringify(one)).join('\n');
}
