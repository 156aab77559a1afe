//! Cases of live metrics: filters, durations, quotas, projections, samples and the state machine, from a file.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::{
    Data, Envelope, EventData, ExceptionData, ExceptionDetails, Measurements, MessageData,
    Properties, RemoteDependencyData, RequestData, SCHEMA_VERSION, TimeSpan,
};
use azmon::live_metrics::{
    Call, Collected, Collector, Configuration, ConfigurationInfo, DocumentGroupInfo,
    FilterGroupInfo, FilterInfo, Machine, MetricInfo, Outcome, Quota, StreamInfo, parse_ticks,
};
use serde::Deserialize;
use serde_json::Value;

/// The result of the cases of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of cases that are as expected.
    pub passed: usize,
    /// The difference, for each other case.
    pub failures: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    cases: Vec<Case>,
    durations: Vec<DurationCase>,
    quota: Vec<QuotaCase>,
    projections: Vec<ProjectionCase>,
    documents: Vec<DocumentCase>,
    state_machine: Vec<MachineCase>,
}

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    telemetry_type: String,
    filters: Vec<FilterInfo>,
    item: Fields,
    expected: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Fields {
    name: String,
    url: Option<String>,
    response_code: String,
    result_code: Option<String>,
    target: Option<String>,
    #[serde(rename = "Type")]
    dependency_type: Option<String>,
    data: Option<String>,
    success: bool,
    duration_ms: f64,
    message: String,
    stack_trace: Option<String>,
    custom_dimensions: BTreeMap<String, String>,
    custom_metrics: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
struct DurationCase {
    text: String,
    ticks: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct QuotaCase {
    name: String,
    max: f64,
    initial: f64,
    accrual: f64,
    steps: Vec<QuotaStep>,
}

#[derive(Debug, Deserialize)]
struct QuotaStep {
    at_s: f64,
    tries: u32,
    accepted: u32,
    left: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct ProjectionCase {
    projection: String,
    aggregation: String,
    #[serde(default)]
    items: Vec<Option<String>>,
    #[serde(default)]
    items_ms: Vec<f64>,
    value: f64,
    weight: u64,
}

#[derive(Debug, Deserialize)]
struct DocumentCase {
    name: String,
    streams: Vec<DocumentStream>,
    item_type: String,
    #[serde(default)]
    item: Fields,
    stream_ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct DocumentStream {
    #[serde(rename = "Id")]
    id: String,
    types: BTreeMap<String, Vec<Vec<(String, String, String)>>>,
}

#[derive(Debug, Deserialize)]
struct MachineCase {
    name: String,
    answers: Vec<String>,
    /// The expected requests by time; `…` matches any number of them.
    sends: Vec<(Value, String)>,
}

/// Runs all cases of a file.
///
/// # Errors
/// Fails if the file does not have the expected form.
pub fn run(file: &str) -> Result<Report, serde_json::Error> {
    let file: File = serde_json::from_str(file)?;
    let mut report = Report::default();
    for case in &file.cases {
        report.add(&case.name, filter(case));
    }
    for case in &file.durations {
        let found = parse_ticks(&case.text);
        report.add(&case.text, same(&found, &case.ticks));
    }
    for case in &file.quota {
        report.add(&case.name, quota(case));
    }
    for case in &file.projections {
        let name = format!("{} of {}", case.aggregation, case.projection);
        report.add(&name, projection(case));
    }
    for case in &file.documents {
        report.add(&case.name, document(case));
    }
    for case in &file.state_machine {
        report.add(&case.name, machine(case));
    }
    Ok(report)
}

/// Each failure on one line, and their number.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failures.len())
    }
}

impl Report {
    fn add(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(reason) => self.failures.push(format!("{name}: {reason}")),
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} instead of {expected:?}")),
    }
}

/// A metric and a stream with the same filters must agree.
fn filter(case: &Case) -> Result<(), String> {
    let group = FilterGroupInfo {
        filters: case.filters.clone(),
    };
    let configuration = Configuration::new(&ConfigurationInfo {
        etag: "1".to_owned(),
        metrics: vec![MetricInfo {
            id: "metric".to_owned(),
            telemetry_type: case.telemetry_type.clone(),
            filter_groups: vec![group.clone()],
            projection: "Count()".to_owned(),
            aggregation: "Sum".to_owned(),
            back_end_aggregation: "Sum".to_owned(),
        }],
        document_streams: vec![StreamInfo {
            id: "stream".to_owned(),
            document_filter_groups: vec![DocumentGroupInfo {
                telemetry_type: case.telemetry_type.clone(),
                filters: group,
            }],
        }],
        quota_info: None,
    });
    let expected = case.expected.as_str();
    let errors = configuration.errors().len();
    if errors > 0 {
        return match (errors, expected) {
            (2, "invalid") => Ok(()),
            _ => Err(format!(
                "{:?} instead of {expected}",
                configuration.errors()
            )),
        };
    }
    let items = [case.item.envelope(&case.telemetry_type)?];
    let collected = collect(configuration, &items)?;
    let word = |is_match| if is_match { "match" } else { "no-match" };
    let found = value(&collected, "metric")?.0 > 0.0;
    same(&word(found), &expected).map_err(|reason| format!("metric: {reason}"))?;
    let sampled = !collected.documents.is_empty();
    same(&word(sampled), &expected).map_err(|reason| format!("stream: {reason}"))
}

fn quota(case: &QuotaCase) -> Result<(), String> {
    let mut quota = Quota::new(case.initial, case.max, case.accrual, Duration::ZERO);
    for step in &case.steps {
        let now = Duration::from_secs_f64(step.at_s);
        let accepted = (0..step.tries).filter(|_| quota.take(now)).count();
        same(&accepted, &(step.accepted as usize))
            .map_err(|reason| format!("at {} s: {reason}", step.at_s))?;
        if let Some(left) = step.left
            && (quota.left_at(now) - left).abs() > 1e-9
        {
            return Err(format!("{} left instead of {left}", quota.left_at(now)));
        }
    }
    Ok(())
}

fn projection(case: &ProjectionCase) -> Result<(), String> {
    let configuration = Configuration::new(&ConfigurationInfo {
        metrics: vec![MetricInfo {
            id: "metric".to_owned(),
            telemetry_type: "Request".to_owned(),
            filter_groups: Vec::new(),
            projection: case.projection.clone(),
            aggregation: case.aggregation.clone(),
            back_end_aggregation: "Sum".to_owned(),
        }],
        ..ConfigurationInfo::default()
    });
    if !configuration.errors().is_empty() {
        return Err(format!("{:?}", configuration.errors()));
    }
    let key = case.projection.strip_prefix("CustomDimensions.");
    let of_text = case.items.iter().map(|text| Fields {
        custom_dimensions: key
            .zip(text.as_ref())
            .map(|(key, text)| (key.to_owned(), text.clone()))
            .into_iter()
            .collect(),
        ..Fields::default()
    });
    let of_duration = case.items_ms.iter().map(|duration| Fields {
        duration_ms: *duration,
        ..Fields::default()
    });
    let items = of_text.chain(of_duration);
    let items: Result<Vec<_>, _> = items.map(|fields| fields.envelope("Request")).collect();
    let collected = collect(configuration, &items?)?;
    same(&value(&collected, "metric")?, &(case.value, case.weight))
}

fn document(case: &DocumentCase) -> Result<(), String> {
    let filter = |(field, predicate, comparand): &(String, String, String)| FilterInfo {
        field_name: field.clone(),
        predicate: predicate.clone(),
        comparand: Some(comparand.clone()),
    };
    let streams = case.streams.iter().map(|stream| {
        let groups = stream.types.iter().flat_map(|(of, groups)| {
            groups.iter().map(|filters| DocumentGroupInfo {
                telemetry_type: of.clone(),
                filters: FilterGroupInfo {
                    filters: filters.iter().map(filter).collect(),
                },
            })
        });
        StreamInfo {
            id: stream.id.clone(),
            document_filter_groups: groups.collect(),
        }
    });
    let configuration = Configuration::new(&ConfigurationInfo {
        document_streams: streams.collect(),
        ..ConfigurationInfo::default()
    });
    if !configuration.errors().is_empty() {
        return Err(format!("{:?}", configuration.errors()));
    }
    let collected = collect(configuration, &[case.item.envelope(&case.item_type)?])?;
    let found = collected.documents.first();
    let found = found.map(|document| document.document_stream_ids.clone());
    same(&found, &case.stream_ids)
}

fn machine(case: &MachineCase) -> Result<(), String> {
    /// Exceeds the number of calls of every case.
    const MOST: usize = 1_000;
    let mut machine = Machine::new(Duration::ZERO);
    let mut expected = case.sends.iter().peekable();
    let mut may_skip = false;
    for index in 0..MOST {
        while expected.peek().is_some_and(|(time, _)| !time.is_number()) {
            may_skip = true;
            expected.next();
        }
        let Some((time, call)) = expected.peek() else {
            return Ok(());
        };
        let (now, next) = machine.next();
        let sent = match next {
            Call::Ping => "ping",
            Call::Post => "post",
        };
        let is_it = time.as_f64() == Some(now.as_secs_f64()) && call == sent;
        if is_it {
            expected.next();
            may_skip = false;
        } else if !may_skip || time.as_f64() < Some(now.as_secs_f64()) {
            let now = now.as_secs_f64();
            return Err(format!("{sent} at {now} s instead of {call} at {time} s"));
        }
        let answer = case.answers.get(index).or_else(|| case.answers.last());
        let (answer, hint) = match answer.and_then(|answer| answer.split_once(", hint ")) {
            Some((answer, hint)) => (answer, Some(hint)),
            None => (answer.map_or("", String::as_str), None),
        };
        let outcome = match answer {
            "subscribed" => Outcome::Subscribed,
            "not subscribed" => Outcome::NotSubscribed,
            failed if failed.starts_with("fail") => Outcome::Failed,
            other => return Err(format!("the answer {other:?} is not known")),
        };
        machine.begin(now);
        if let Some(hint) = hint {
            machine.hint(hint.parse().map_err(|_| format!("the hint {hint:?}"))?);
        }
        machine.end(outcome, now);
    }
    Err("it goes on for ever".to_owned())
}

/// The result of a second in which these items end.
fn collect(configuration: Configuration, items: &[Envelope<'_>]) -> Result<Collected, String> {
    let mut collector = Collector::new(Arc::new(configuration), Duration::ZERO);
    for item in items {
        collector.observe(item, 1, Duration::ZERO);
    }
    let collected = collector.take(Duration::from_secs(1));
    collected.ok_or_else(|| "nothing was collected".to_owned())
}

fn value(collected: &Collected, name: &str) -> Result<(f64, u64), String> {
    let mut metrics = collected.metrics.iter();
    let found = metrics.find(|metric| metric.name == name);
    let found = found.ok_or_else(|| format!("there is no metric {name}"))?;
    Ok((found.value, found.weight))
}

impl Fields {
    fn envelope(&self, telemetry_type: &str) -> Result<Envelope<'static>, String> {
        let fields = self.clone();
        let properties: Properties<'static> = fields
            .custom_dimensions
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let measurements: Measurements<'static> = fields
            .custom_metrics
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect();
        // Milliseconds of the file have at most four decimals: 100 ns.
        let duration = TimeSpan(Duration::from_nanos((self.duration_ms * 1e6).round() as u64));
        let data = match telemetry_type {
            "Request" => Data::Request(RequestData {
                ver: SCHEMA_VERSION,
                id: "1".into(),
                name: fields.name.into(),
                duration,
                success: self.success,
                response_code: fields.response_code.into(),
                source: None,
                url: fields.url.map(Into::into),
                properties,
                measurements,
            }),
            "Dependency" => Data::RemoteDependency(RemoteDependencyData {
                ver: SCHEMA_VERSION,
                id: "1".into(),
                name: fields.name.into(),
                result_code: fields.result_code.map(Into::into),
                data: fields.data.map(Into::into),
                dependency_type: fields.dependency_type.map(Into::into),
                target: fields.target.map(Into::into),
                duration,
                success: self.success,
                properties,
                measurements,
            }),
            "Exception" => Data::Exception(ExceptionData {
                ver: SCHEMA_VERSION,
                exceptions: vec![ExceptionDetails {
                    message: fields.message.into(),
                    stack: fields.stack_trace.map(Into::into),
                    ..ExceptionDetails::default()
                }],
                severity_level: None,
                problem_id: None,
                properties,
                measurements,
            }),
            "Trace" => Data::Message(MessageData {
                ver: SCHEMA_VERSION,
                message: fields.message.into(),
                severity_level: None,
                properties,
                measurements,
            }),
            "Event" => Data::Event(EventData {
                ver: SCHEMA_VERSION,
                name: fields.name.into(),
                properties,
                measurements,
            }),
            other => return Err(format!("the type {other:?} has no items")),
        };
        Ok(Envelope::new(SystemTime::UNIX_EPOCH, data))
    }
}
