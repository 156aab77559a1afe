use opentelemetry::{Context, KeyValue};

use crate::instrument::{Identity, OperationName};

/// Adds what a span inherits from the context in which it starts: its operation's name, and who caused it.
pub(crate) fn inherit(context: &Context, attributes: &mut Vec<KeyValue>) {
    if let Some(OperationName(name)) = OperationName::of(context) {
        attributes.push(KeyValue::new(OperationName::ATTRIBUTE, name.clone()));
    }
    if let Some(identity) = Identity::of(context) {
        attributes.extend(identity.attributes());
    }
}
