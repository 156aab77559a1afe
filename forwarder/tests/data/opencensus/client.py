"""Sends traces, a configuration and metrics with opencensus-ext-ocagent, as an application of 2018 does.

Usage: client.py HOST:PORT. Prints the sampler that the agent answers.
"""

import sys
import time

from opencensus.ext.ocagent import stats_exporter
from opencensus.ext.ocagent.trace_exporter import TraceExporter
from opencensus.proto.trace.v1 import trace_config_pb2
from opencensus.stats import aggregation, measure, stats, view
from opencensus.tags import tag_key, tag_map, tag_value
from opencensus.trace import samplers
from opencensus.trace.span import SpanKind
from opencensus.trace.tracer import Tracer

endpoint = sys.argv[1]

exporter = TraceExporter(service_name="python-service", endpoint=endpoint)
tracer = Tracer(exporter=exporter, sampler=samplers.AlwaysOnSampler())
with tracer.span(name="request") as request:
    request.span_kind = SpanKind.SERVER
    request.add_attribute("http.method", "GET")
    request.add_attribute("http.route", "/orders/{id}")
    request.add_attribute("http.status_code", 200)
    request.add_annotation("looked up", rows=1)
    with tracer.span(name="call") as call:
        call.span_kind = SpanKind.CLIENT
        call.add_attribute("http.method", "POST")
        call.add_attribute("http.url", "http://stock.local:9000/items?id=7")
        call.add_attribute("http.status_code", 503)
        call.add_attribute("ratio", 0.5)
    with tracer.span(name="compute"):
        pass

sampler = trace_config_pb2.ProbabilitySampler(samplingProbability=0.5)
answer = exporter.update_config(trace_config_pb2.TraceConfig(probability_sampler=sampler))
print(answer.config.WhichOneof("sampler"))

latency = measure.MeasureFloat("latency", "how long it took", "ms")
method = tag_key.TagKey("method")
distribution = aggregation.DistributionAggregation([10.0, 100.0])
views = [
    view.View("latency_distribution", "", [method], latency, distribution),
    view.View("latency_count", "", [method], latency, aggregation.CountAggregation()),
]
for one in views:
    stats.stats.view_manager.register_view(one)
# The transport keeps no reference of its own to the exporter.
metrics = stats_exporter.new_stats_exporter(
    service_name="python-service", endpoint=endpoint, interval=1
)
tags = tag_map.TagMap()
tags.insert(method, tag_value.TagValue("GET"))
recorder = stats.stats.stats_recorder.new_measurement_map()
recorder.measure_float_put(latency, 12.5)
recorder.record(tags)
# Two exports at least: totals are sent again and again.
time.sleep(3.5)
