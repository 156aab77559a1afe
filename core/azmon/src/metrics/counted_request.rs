use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};

use crate::instrument::direct::{CountedFacts, SpanRate};
use crate::instrument::http::{HttpEnd, attribute};
use crate::item::SpanView;
use crate::mapping::{self, MappingOptions, RequestDimensions};

/// A request without a record: the inputs of its dimensions in the standard metrics.
///
/// Invariant: it is counted exactly as its record would be.
#[derive(Debug)]
pub(crate) struct CountedRequest {
    is_synthetic: bool,
    started_at: SystemTime,
    /// The start before the request has ended.
    ended_at: SystemTime,
    status: Status,
    ended: Option<HttpEnd>,
    /// Those that were set after the start and that the mapping reads.
    attributes: Vec<KeyValue>,
}

impl CountedRequest {
    pub(crate) fn new(facts: CountedFacts<'_>, started_at: SystemTime) -> Self {
        Self {
            is_synthetic: facts.user_agent.is_some_and(mapping::is_availability_test),
            started_at,
            ended_at: started_at,
            status: Status::Unset,
            ended: None,
            attributes: Vec::new(),
        }
    }

    /// Sets an attribute. At most `most` are kept.
    pub(crate) fn set(&mut self, attribute: KeyValue, most: u32) {
        if mapping::reads(attribute.key.as_str()) && self.attributes.len() < most as usize {
            self.attributes.push(attribute);
        }
    }

    /// Ok beats an error, which beats nothing.
    pub(crate) fn set_status(&mut self, status: Status) {
        if status > self.status {
            self.status = status;
        }
    }

    /// Ends the request, with its exchange if it has one.
    pub(crate) fn end(&mut self, time: SystemTime, exchange: Option<HttpEnd>) {
        self.ended_at = time;
        if let Some(status) = exchange.as_ref().and_then(HttpEnd::status) {
            self.set_status(status);
        }
        self.ended = exchange;
    }

    /// The dimensions; `None` if the attributes must tell them.
    pub(super) fn dimensions(&self, options: &MappingOptions) -> Option<RequestDimensions> {
        let ended = self.ended.as_ref()?;
        let code = ended.plain_code().filter(|_| self.attributes.is_empty())?;
        Some(RequestDimensions::new(
            code,
            &self.status,
            self.is_synthetic,
            options,
        ))
    }

    /// The request as a span, with the attributes that were set after its start.
    pub(super) fn span(&self) -> SpanView<'_> {
        SpanView {
            span_context: &SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: &SpanKind::Server,
            name: "",
            start_time: self.started_at,
            end_time: self.ended_at,
            attributes: &self.attributes,
            events: &[],
            links: &[],
            status: &self.status,
            rate: SpanRate::Unknown,
        }
    }

    /// All attributes from which the dimensions are read.
    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let agent = KeyValue::new(attribute::USER_AGENT_ORIGINAL, mapping::AVAILABILITY_TEST);
        let at_start = self.is_synthetic.then_some(agent).into_iter();
        let at_end = self.ended.iter().flat_map(HttpEnd::attributes);
        at_start
            .chain(self.attributes.iter().cloned())
            .chain(at_end)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::time::Duration;

    use fastrand::Rng;
    use http::StatusCode;
    use opentelemetry::Value;
    use opentelemetry_sdk::Resource;

    use super::*;
    use crate::envelope::{Data, Envelope};
    use crate::instrument::direct::SpanStart;
    use crate::instrument::http::{Ending, Side};
    use crate::instrument::{NewRecord, SpanRecord};
    use crate::mapping::Mapper;
    use crate::metrics::standard::StandardMetrics;

    const MOST: u32 = 128;

    /// The events of a request. Equal seeds give equal stories.
    #[derive(Debug)]
    struct Story {
        agent: Option<&'static str>,
        set: Vec<KeyValue>,
        statuses: Vec<Status>,
        code: Option<StatusCode>,
        ending: Ending<'static>,
        has_exchange: bool,
    }

    impl Story {
        /// A response without anything unusual.
        fn plain() -> Self {
            Self {
                agent: None,
                set: Vec::new(),
                statuses: Vec::new(),
                code: Some(StatusCode::OK),
                ending: Ending::Complete,
                has_exchange: true,
            }
        }

        fn of(seed: u64) -> Self {
            let random = &mut Rng::with_seed(seed);
            let agents = [None, Some("curl/8"), Some("AlwaysOn"), Some("")];
            let statuses = [Status::Ok, Status::error(""), Status::error("why")];
            let codes = [200, 204, 301, 404, 499, 500, 503];
            let endings = [
                Ending::Complete,
                Ending::Cancelled,
                Ending::Failed("timeout"),
                Ending::Panicked,
            ];
            let code = StatusCode::from_u16(codes[random.usize(..codes.len())]).unwrap();
            let attributes = random.usize(..4);
            Self {
                agent: agents[random.usize(..agents.len())],
                set: (0..attributes).map(|_| attribute(random)).collect(),
                statuses: (0..random.usize(..3))
                    .map(|_| statuses[random.usize(..statuses.len())].clone())
                    .collect(),
                code: (random.u8(..) > 20).then_some(code),
                ending: endings[random.usize(..endings.len())],
                has_exchange: random.u8(..) > 20,
            }
        }

        fn exchange(&self) -> Option<HttpEnd> {
            let end = HttpEnd::without_grpc(Side::Server, None, self.code, Some(23), self.ending);
            self.has_exchange.then_some(end)
        }

        fn counted(&self) -> CountedRequest {
            let facts = CountedFacts {
                user_agent: self.agent,
            };
            let mut request = CountedRequest::new(facts, SystemTime::UNIX_EPOCH);
            self.set
                .iter()
                .for_each(|set| request.set(set.clone(), MOST));
            let statuses = self.statuses.iter();
            statuses.for_each(|status| request.set_status(status.clone()));
            request.end(ended_at(), self.exchange());
            request
        }

        fn record(&self) -> Box<SpanRecord> {
            let start = SpanStart {
                span_context: SpanContext::NONE,
                parent_span_id: SpanId::INVALID,
                parent_span_is_remote: false,
                span_kind: SpanKind::Server,
                name: "GET".into(),
                start_time: SystemTime::UNIX_EPOCH,
                attributes: Vec::new(),
                links: Vec::new(),
                dropped_links_count: 0,
                rate: SpanRate::Unknown,
                max_attributes: MOST,
            };
            let agent = self
                .agent
                .map(|agent| KeyValue::new("user_agent.original", agent));
            let mut record = NewRecord::new(start).with(agent.into_iter().collect());
            self.set.iter().for_each(|set| record.set(set.clone()));
            let statuses = self.statuses.iter();
            statuses.for_each(|status| record.set_status(status.clone()));
            record.end(ended_at(), self.exchange());
            record.complete();
            record
        }
    }

    fn attribute(random: &mut Rng) -> KeyValue {
        let keys = [
            "app.user",
            "microsoft.request.resultCode",
            "microsoft.synthetic_source",
            "http.response.status_code",
            "http.status_code",
            "user_agent.original",
            "user_agent.synthetic.type",
            "rpc.grpc.status_code",
            "rpc.response.status_code",
            "error.type",
        ];
        let values: [Value; 7] = [
            "value".into(),
            "".into(),
            "AlwaysOn".into(),
            "test".into(),
            "503".into(),
            500.into(),
            true.into(),
        ];
        let key = keys[random.usize(..keys.len())];
        KeyValue::new(key, values[random.usize(..values.len())].clone())
    }

    fn ended_at() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(7)
    }

    fn collected(metrics: &StandardMetrics) -> Vec<Envelope<'static>> {
        let mut all = Vec::new();
        metrics.collect(SystemTime::UNIX_EPOCH, &mut |item| all.push(item));
        all
    }

    #[test]
    fn a_request_is_counted_as_its_record_would_be() {
        for client_errors in [true, false] {
            let options = MappingOptions::default().client_errors_are_failures(client_errors);
            let resource = Resource::builder_empty().build();
            let metrics =
                StandardMetrics::new(Arc::new(Mapper::new("key", &resource, options.clone())));
            let mut at_once = 0;
            for seed in 0..20_000 {
                let story = Story::of(seed);
                let request = story.counted();
                at_once += u32::from(request.dimensions(&options).is_some());
                metrics.record_request(&request);
                let counted = collected(&metrics);
                metrics.record(SpanView::of(&story.record()));
                assert_eq!(counted, collected(&metrics), "{story:?}");
                assert_eq!(counted.len(), 1);
            }
            // The test says nothing if one of both ways is not taken.
            assert!((4_000..16_000).contains(&at_once), "{at_once}");
        }
    }

    #[test]
    fn more_status_codes_than_a_chart_has_overflow_and_no_request_is_lost() {
        let resource = Resource::builder_empty().build();
        let mapper = Mapper::new("key", &resource, MappingOptions::default());
        let metrics = StandardMetrics::new(Arc::new(mapper));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for code in 100..1_000 {
                        let story = Story {
                            code: StatusCode::from_u16(code).ok(),
                            ..Story::plain()
                        };
                        metrics.record_request(&story.counted());
                    }
                });
            }
        });
        let mut requests = 0;
        let mut codes = HashSet::new();
        for envelope in collected(&metrics) {
            let code = envelope.data.properties().get("request/resultCode");
            codes.insert(code.unwrap().clone());
            let Data::Metric(data) = envelope.data else {
                panic!("{envelope:?}");
            };
            requests += data.metrics[0].count.unwrap();
        }
        assert_eq!(requests, 4 * 900);
        assert_eq!(codes.len(), 51);
        assert!(codes.contains("DIMENSION-CAPPED"));
    }

    #[test]
    fn attributes_that_nothing_reads_are_not_kept_and_others_up_to_a_limit() {
        let facts = CountedFacts { user_agent: None };
        let mut request = CountedRequest::new(facts, SystemTime::UNIX_EPOCH);
        request.set(KeyValue::new("app.user", 1), 2);
        assert!(request.span().attributes.is_empty());
        for _ in 0..3 {
            request.set(KeyValue::new("error.type", "x"), 2);
        }
        assert_eq!(request.span().attributes.len(), 2);
    }
}
