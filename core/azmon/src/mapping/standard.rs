//! The dimensions of a span in the standard metrics, which equal the fields of its request or dependency.

use std::borrow::Cow;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};

use crate::envelope::limits;
use crate::instrument::{OperationName, SpanRecord};
use crate::item::SpanView;
use crate::mapping::attributes::Attributes;
use crate::mapping::dependency::{self, Call};
use crate::mapping::keys::{Key, reads};
use crate::mapping::mapper::result_code;
use crate::mapping::{Arena, Mapper, MappingOptions, context, plain, success};

/// The dimensions of a standard metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct StandardDimensions<'a> {
    /// `None` for a request.
    pub(crate) dependency: Option<DependencyDimensions<'a>>,
    pub(crate) result_code: Cow<'a, str>,
    pub(crate) success: bool,
    pub(crate) synthetic: bool,
}

/// The dimensions that only dependencies have. An empty text means a missing value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DependencyDimensions<'a> {
    pub(crate) dependency_type: Cow<'a, str>,
    pub(crate) target: Cow<'a, str>,
}

impl Mapper {
    /// The dimensions under which a span is counted.
    pub(crate) fn standard_dimensions<'a>(
        &self,
        span: SpanView<'a>,
        arena: &'a Arena,
    ) -> StandardDimensions<'a> {
        let attributes = Attributes::new(span.attributes, arena);
        let (dependency, overridden) = match span.span_kind {
            SpanKind::Server | SpanKind::Consumer => (None, Key::MicrosoftRequestResultCode),
            kind => (
                Some(dependency_dimensions(&attributes, kind)),
                Key::MicrosoftDependencyResultCode,
            ),
        };
        StandardDimensions {
            dependency,
            result_code: cut(result_code(&attributes, overridden)),
            success: self.is_success(span, &attributes),
            synthetic: context::synthetic_source(&attributes).is_some(),
        }
    }
}

fn dependency_dimensions<'a>(
    attributes: &Attributes<'a>,
    kind: &SpanKind,
) -> DependencyDimensions<'a> {
    let call = Call::of(attributes, kind);
    let text = |text: Option<&'a str>| cut(Cow::Borrowed(text.unwrap_or_default()));
    DependencyDimensions {
        dependency_type: text(dependency::dependency_type(call, attributes, kind)),
        target: text(dependency::target(call, attributes, kind)),
    }
}

/// Cuts a text to the limit of the item's field.
fn cut(mut text: Cow<'_, str>) -> Cow<'_, str> {
    limits::truncate(&mut text, limits::SHORT_TEXT);
    text
}

/// The dimensions of a request over HTTP whose attributes say nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestDimensions {
    /// The status code of the response, 0 without one.
    pub(crate) result_code: u16,
    pub(crate) success: bool,
    pub(crate) synthetic: bool,
}

impl RequestDimensions {
    pub(crate) fn new(
        result_code: u16,
        status: &Status,
        synthetic: bool,
        options: &MappingOptions,
    ) -> Self {
        Self {
            result_code,
            success: success::is_http_success(status, result_code, options),
            synthetic,
        }
    }

    /// The dimensions of a record; `None` where the mapper must decide by the attributes.
    pub(crate) fn of_record(record: &SpanRecord, options: &MappingOptions) -> Option<Self> {
        let request = record.request()?;
        if record.data().span_kind != SpanKind::Server || request.attributes.iter().any(is_read) {
            return None;
        }
        let agent = request.facts.user_agent;
        let synthetic = agent.is_some_and(context::is_availability_test);
        let code = request.status.unwrap_or(0);
        Some(Self::new(code, &record.data().status, synthetic, options))
    }
}

impl From<RequestDimensions> for StandardDimensions<'_> {
    fn from(request: RequestDimensions) -> Self {
        Self {
            dependency: None,
            result_code: Cow::Owned(request.result_code.to_string()),
            success: request.success,
            synthetic: request.synthetic,
        }
    }
}

impl<'a> StandardDimensions<'a> {
    /// The dimensions of the record of an outgoing call; `None` where the mapper must decide by the attributes. `text`
    /// is room for the status code.
    pub(crate) fn of_call(
        record: &'a SpanRecord,
        options: &MappingOptions,
        text: &'a mut itoa::Buffer,
    ) -> Option<Self> {
        let call = record.call()?;
        let target = plain::target(&call.facts)?;
        let of_call = |one: &&KeyValue| one.key.as_str() != OperationName::ATTRIBUTE;
        if call.attributes.iter().filter(of_call).any(is_read) {
            return None;
        }
        let code = call.status.unwrap_or(0);
        Some(Self {
            dependency: Some(DependencyDimensions {
                dependency_type: Cow::Borrowed(dependency::HTTP),
                target: Cow::Borrowed(target),
            }),
            result_code: Cow::Borrowed(text.format(code)),
            success: success::is_http_success(&record.data().status, code, options),
            synthetic: false,
        })
    }
}

fn is_read(attribute: &KeyValue) -> bool {
    reads(attribute.key.as_str())
}

impl StandardDimensions<'_> {
    /// Copies every borrowed text.
    pub(crate) fn into_owned(self) -> StandardDimensions<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        StandardDimensions {
            dependency: self.dependency.map(|dependency| DependencyDimensions {
                dependency_type: owned(dependency.dependency_type),
                target: owned(dependency.target),
            }),
            result_code: owned(self.result_code),
            success: self.success,
            synthetic: self.synthetic,
        }
    }
}
