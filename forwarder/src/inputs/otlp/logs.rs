//! Log records: messages, exceptions, custom events, availability results.

use std::borrow::Cow;
use std::time::SystemTime;

use azmon::mapping::{Arena, LogData};
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

use crate::inputs::budget::Held;
use crate::inputs::otlp::attributes::{to_attributes, to_value};
use crate::inputs::otlp::read::{Read, Room};
use crate::inputs::otlp::shared::Shared;
use crate::inputs::otlp::traces::{span_id, time, to_scope, trace_id};
use crate::sink::{Batch, Refusal};

/// Severities by severity number, from 1.
const SEVERITIES: [Severity; 24] = [
    Severity::Trace,
    Severity::Trace2,
    Severity::Trace3,
    Severity::Trace4,
    Severity::Debug,
    Severity::Debug2,
    Severity::Debug3,
    Severity::Debug4,
    Severity::Info,
    Severity::Info2,
    Severity::Info3,
    Severity::Info4,
    Severity::Warn,
    Severity::Warn2,
    Severity::Warn3,
    Severity::Warn4,
    Severity::Error,
    Severity::Error2,
    Severity::Error3,
    Severity::Error4,
    Severity::Fatal,
    Severity::Fatal2,
    Severity::Fatal3,
    Severity::Fatal4,
];

/// Reads a message with log records.
pub(super) fn read(
    shared: &Shared,
    mut request: ExportLogsServiceRequest,
    held: Option<&Held>,
) -> Result<Read, Refusal> {
    let mut room = Room::new();
    let lists = request.resource_logs.iter_mut();
    lists
        .flat_map(|resource| &mut resource.scope_logs)
        .for_each(|scope| room.keep(&mut scope.log_records));
    let mut read = Read {
        batches: Vec::new(),
        rejected: room.close(held)?,
    };
    for ResourceLogs {
        resource,
        scope_logs,
        ..
    } in request.resource_logs
    {
        let resource = shared.resources.of(resource);
        let mut items = Vec::new();
        let mut arena = Arena::new();
        for ScopeLogs {
            scope, log_records, ..
        } in scope_logs
        {
            let scope = scope.map(to_scope).unwrap_or_default();
            for record in log_records {
                let log = to_log(record, &scope);
                let operation = shared.names.of(log.trace_id(), resource.id);
                let name = operation.as_ref().map(|operation| operation.name.as_str());
                let rate = operation
                    .as_ref()
                    .and_then(|operation| operation.sample_rate);
                items.push(resource.item(resource.mapper.map_log(&log, name, rate, &arena)));
                arena.reset();
            }
        }
        read.batches
            .push(Batch::new(resource.attributes.clone(), items));
    }
    Ok(read)
}

fn to_log(record: LogRecord, scope: &InstrumentationScope) -> LogData {
    let at = match (record.time_unix_nano, record.observed_time_unix_nano) {
        (0, 0) => SystemTime::now(),
        (0, observed) => time(observed),
        (at, _) => time(at),
    };
    let severity_text = Some(record.severity_text).filter(|text| !text.is_empty());
    LogData::at(at)
        .in_span(
            trace_id(&record.trace_id).unwrap_or(TraceId::INVALID),
            span_id(&record.span_id).unwrap_or(SpanId::INVALID),
        )
        .with_severity(
            severity(record.severity_number),
            severity_text.map(Cow::Owned),
        )
        .with_event_name(record.event_name)
        .with_scope(scope.clone())
        .with_body(record.body.and_then(to_value))
        .with_attributes(to_attributes(record.attributes))
}

fn severity(number: i32) -> Option<Severity> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    SEVERITIES.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_those_of_their_numbers() {
        for number in 1..=24 {
            assert_eq!(
                severity(number).map(|severity| severity as i32),
                Some(number)
            );
        }
        for number in [i32::MIN, -1, 0, 25, i32::MAX] {
            assert_eq!(severity(number), None);
        }
    }
}
