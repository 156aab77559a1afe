use std::fmt::Write;

use crate::forwarder::ForwarderCounts;

/// The statistics in LocalForwarder's form: one line for each input, one or two for each destination, and one for
/// excluded and sampled-out items.
///
/// ```text
/// OpenCensus input: [ConnectionCount: 2, BatchesReceived: 3, BatchesFailed: 0, ConfigsReceived: 0, ConfigsFailed: 0]
/// Destination default: [Accepted: 17, Waiting: 0, Dropped: 0]
/// Live Metrics default: [Servers: 2, LeftOut: 0]
/// Left out: [Excluded: 1, SampledOut: 0]
/// ```
#[must_use]
pub fn statistics_lines(counts: &ForwarderCounts) -> Vec<String> {
    let mut lines = Vec::new();
    for input in &counts.inputs {
        let counts = input.counts;
        lines.push(format!(
            "{}: [ConnectionCount: {}, BatchesReceived: {}, BatchesFailed: {}, ConfigsReceived: {}, \
             ConfigsFailed: {}]",
            input.kind,
            input.connections,
            counts.batches_received,
            counts.batches_failed,
            counts.configs_received,
            counts.configs_failed
        ));
    }
    for destination in &counts.destinations {
        let dropped: u64 = destination.dropped.values().sum();
        let mut line = format!(
            "Destination {}: [Accepted: {}, Waiting: {}, Dropped: {dropped}",
            destination.name, destination.accepted, destination.waiting
        );
        for (reason, count) in &destination.dropped {
            // Writing to a `String` cannot fail.
            let _ = write!(line, ", {reason}: {count}");
        }
        line.push(']');
        lines.push(line);
        if let Some(live) = destination.live_metrics {
            lines.push(format!(
                "Live Metrics {}: [Servers: {}, LeftOut: {}]",
                destination.name, live.servers, live.left_out
            ));
        }
    }
    lines.push(format!(
        "Left out: [Excluded: {}, SampledOut: {}]",
        counts.excluded, counts.sampled_out
    ));
    lines
}
