"""A service with Live Metrics: one request every tenth of a second until its input ends."""

import sys
import threading

from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import trace

configure_azure_monitor(connection_string=sys.argv[1], enable_live_metrics=True)
tracer = trace.get_tracer("test")
ended = threading.Event()


def wait():
    sys.stdin.read()
    ended.set()


threading.Thread(target=wait, daemon=True).start()
while not ended.wait(0.1):
    with tracer.start_as_current_span("GET /orders/{id}", kind=trace.SpanKind.SERVER) as span:
        span.set_attribute("http.request.method", "GET")
        span.set_attribute("http.response.status_code", 200)
        span.set_attribute("url.full", "http://shop.local/orders/1")
