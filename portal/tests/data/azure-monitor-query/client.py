"""What azure-monitor-query makes of the portal's answers, as JSON lines. Argument: the portal's address."""

import json
import sys
from datetime import datetime, timedelta, timezone

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryStatus


class NoCredential:
    """The portal on loopback asks for none."""

    def get_token(self, *scopes, **options):
        raise AssertionError("no token is asked for")


client = LogsQueryClient(
    NoCredential(), endpoint=sys.argv[1] + "/v1", authentication_policy=SansIOHTTPPolicy()
)
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/microsoft.insights/components/shop"
START = datetime(2026, 11, 20, 12, 0, 0, tzinfo=timezone.utc)
SPAN = (START, START + timedelta(minutes=1))


def text(value):
    return value.isoformat() if isinstance(value, datetime) else value


def tell(name, **fields):
    print(json.dumps({"test": name, **fields}))


def tables(answer):
    return [
        {"columns": list(table.columns), "rows": [[text(cell) for cell in row] for row in table.rows]}
        for table in answer
    ]


answer = client.query_workspace(
    "any",
    "AppRequests | project TimeGenerated, Name, DurationMs, Success, Properties | order by TimeGenerated asc",
    timespan=SPAN,
    include_statistics=True,
    include_visualization=True,
    server_timeout=60,
)
tell(
    "workspace",
    status=answer.status == LogsQueryStatus.SUCCESS,
    tables=tables(answer),
    statistics=sorted(answer.statistics["query"]),
    visualization=answer.visualization,
)

answer = client.query_resource(
    RESOURCE, "requests | summarize count() by name | order by name asc | render barchart",
    timespan=SPAN, include_visualization=True,
)
tell("resource", tables=tables(answer), visualization=answer.visualization["visualization"])

answer = client.query_workspace("any", "requests | count", timespan=timedelta(hours=1))
tell("timespan", tables=tables(answer))

try:
    client.query_workspace("any", "requests | where durtion > 1", timespan=None)
except HttpResponseError as error:
    tell("error", status=error.status_code, code=error.error.code, message=str(error))

answer = client.query_workspace("any", "range x from 1 to 600000 step 1", timespan=None)
tell(
    "partial",
    status=answer.status == LogsQueryStatus.PARTIAL,
    rows=len(answer.partial_data[0].rows),
    code=answer.partial_error.code,
    details=[detail.get("message") for detail in answer.partial_error.details],
)

answers = client.query_batch(
    [
        LogsBatchQuery(workspace_id="any", query="requests | count", timespan=SPAN),
        LogsBatchQuery(workspace_id="any", query="nonsense", timespan=None),
    ]
)
tell(
    "batch",
    first=tables(answers[0]),
    second=[answers[1].status == LogsQueryStatus.FAILURE, answers[1].code, answers[1].message],
)
