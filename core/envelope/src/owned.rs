//! Conversion of envelopes that borrow their texts into envelopes that own them.

use std::borrow::Cow;

use crate::{
    AvailabilityData, Data, Envelope, EventData, ExceptionData, ExceptionDetails, Measurements,
    MessageData, MetricData, MetricPoint, PageViewData, PageViewPerfData, Properties,
    RemoteDependencyData, RequestData, StackFrame,
};

impl Envelope<'_> {
    /// Copies every borrowed text.
    #[must_use]
    pub fn into_owned(self) -> Envelope<'static> {
        Envelope {
            name: text(self.name),
            time: self.time,
            sample_rate: self.sample_rate,
            i_key: text(self.i_key),
            tags: texts(self.tags),
            data: self.data.into_owned(),
        }
    }
}

impl Data<'_> {
    /// Copies every borrowed text.
    #[must_use]
    pub fn into_owned(self) -> Data<'static> {
        match self {
            Self::Request(data) => Data::Request(RequestData {
                ver: data.ver,
                id: text(data.id),
                name: text(data.name),
                duration: data.duration,
                success: data.success,
                response_code: text(data.response_code),
                source: data.source.map(text),
                url: data.url.map(text),
                properties: texts(data.properties),
                measurements: numbers(data.measurements),
            }),
            Self::RemoteDependency(data) => Data::RemoteDependency(RemoteDependencyData {
                ver: data.ver,
                id: text(data.id),
                name: text(data.name),
                result_code: data.result_code.map(text),
                data: data.data.map(text),
                dependency_type: data.dependency_type.map(text),
                target: data.target.map(text),
                duration: data.duration,
                success: data.success,
                properties: texts(data.properties),
                measurements: numbers(data.measurements),
            }),
            Self::Exception(data) => Data::Exception(ExceptionData {
                ver: data.ver,
                exceptions: data.exceptions.into_iter().map(exception).collect(),
                severity_level: data.severity_level,
                problem_id: data.problem_id.map(text),
                properties: texts(data.properties),
                measurements: numbers(data.measurements),
            }),
            Self::Message(data) => Data::Message(MessageData {
                ver: data.ver,
                message: text(data.message),
                severity_level: data.severity_level,
                properties: texts(data.properties),
                measurements: numbers(data.measurements),
            }),
            Self::Event(data) => Data::Event(EventData {
                ver: data.ver,
                name: text(data.name),
                properties: texts(data.properties),
                measurements: numbers(data.measurements),
            }),
            Self::Metric(data) => Data::Metric(MetricData {
                ver: data.ver,
                metrics: data.metrics.into_iter().map(point).collect(),
                properties: texts(data.properties),
            }),
            Self::Availability(data) => Data::Availability(AvailabilityData {
                ver: data.ver,
                id: text(data.id),
                name: text(data.name),
                duration: data.duration,
                success: data.success,
                run_location: data.run_location.map(text),
                message: data.message.map(text),
                properties: texts(data.properties),
                measurements: numbers(data.measurements),
            }),
            Self::PageView(data) => Data::PageView(page_view(data)),
            Self::PageViewPerf(data) => Data::PageViewPerf(PageViewPerfData {
                page: page_view(data.page),
                perf_total: data.perf_total,
                network_connect: data.network_connect,
                sent_request: data.sent_request,
                received_response: data.received_response,
                dom_processing: data.dom_processing,
            }),
        }
    }
}

fn exception(details: ExceptionDetails<'_>) -> ExceptionDetails<'static> {
    let frame = |frame: StackFrame<'_>| StackFrame {
        level: frame.level,
        method: text(frame.method),
        assembly: frame.assembly.map(text),
        file_name: frame.file_name.map(text),
        line: frame.line,
    };
    ExceptionDetails {
        id: details.id,
        outer_id: details.outer_id,
        type_name: details.type_name.map(text),
        message: text(details.message),
        has_full_stack: details.has_full_stack,
        stack: details.stack.map(text),
        parsed_stack: details.parsed_stack.into_iter().map(frame).collect(),
    }
}

fn point(point: MetricPoint<'_>) -> MetricPoint<'static> {
    MetricPoint {
        namespace: point.namespace.map(text),
        name: text(point.name),
        kind: point.kind,
        value: point.value,
        count: point.count,
        min: point.min,
        max: point.max,
        std_dev: point.std_dev,
    }
}

fn page_view(page: PageViewData<'_>) -> PageViewData<'static> {
    PageViewData {
        ver: page.ver,
        id: text(page.id),
        name: text(page.name),
        url: page.url.map(text),
        duration: page.duration,
        referrer_uri: page.referrer_uri.map(text),
        properties: texts(page.properties),
        measurements: numbers(page.measurements),
    }
}

fn text(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn texts(texts: Properties<'_>) -> Properties<'static> {
    texts.into_owned_with(text)
}

fn numbers(numbers: Measurements<'_>) -> Measurements<'static> {
    numbers.into_owned_with(|number| number)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    /// One of each kind of payload, with every field set.
    const PAYLOADS: [&str; 9] = [
        r#"{"baseType":"RequestData","baseData":{"ver":2,"id":"i","name":"n","duration":"00:00:01","success":false,"responseCode":"503","source":"s","url":"u","properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"RemoteDependencyData","baseData":{"ver":2,"id":"i","name":"n","resultCode":"0","data":"d","type":"t","target":"a","duration":"00:00:01","success":true,"properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"ExceptionData","baseData":{"ver":2,"exceptions":[{"id":1,"outerId":2,"typeName":"t","message":"m","hasFullStack":true,"stack":"s","parsedStack":[{"level":0,"method":"m","assembly":"a","fileName":"f","line":7}]}],"severityLevel":3,"problemId":"p","properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"MessageData","baseData":{"ver":2,"message":"m","severityLevel":2,"properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"EventData","baseData":{"ver":2,"name":"n","properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"MetricData","baseData":{"ver":2,"metrics":[{"ns":"s","name":"n","kind":1,"value":9.5,"count":3,"min":1.5,"max":5.5,"stdDev":0.5}],"properties":{"k":"v"}}}"#,
        r#"{"baseType":"AvailabilityData","baseData":{"ver":2,"id":"i","name":"n","duration":"00:00:01","success":true,"runLocation":"r","message":"m","properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"PageViewData","baseData":{"ver":2,"id":"i","name":"n","url":"u","duration":"00:00:01","referrerUri":"r","properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
        r#"{"baseType":"PageViewPerfData","baseData":{"ver":2,"id":"i","name":"n","url":"u","duration":"00:00:01","perfTotal":"00:00:02","networkConnect":"00:00:03","sentRequest":"00:00:04","receivedResponse":"00:00:05","domProcessing":"00:00:06","properties":{"k":"v"},"measurements":{"m":1.5}}}"#,
    ];

    #[test]
    fn an_owned_envelope_is_the_same_in_every_field() {
        for payload in PAYLOADS {
            let mut envelope = Envelope::new(
                SystemTime::UNIX_EPOCH,
                serde_json::from_str::<Data<'_>>(payload).unwrap(),
            );
            envelope.sample_rate = Some(50.0);
            envelope.i_key = Cow::Borrowed("key");
            envelope.tags.push("ai.cloud.role", "shop");
            assert_eq!(envelope.clone().into_owned(), envelope);
        }
    }
}
