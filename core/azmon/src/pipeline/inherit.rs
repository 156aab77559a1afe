use opentelemetry::{Context, KeyValue};

use crate::instrument::{Identity, OperationName};

/// Adds the attributes that a span inherits from its context: the name of its operation, and the user's identity.
pub(crate) fn inherit(context: &Context, attributes: &mut Vec<KeyValue>) {
    if let Some(OperationName(name)) = OperationName::of(context) {
        attributes.push(KeyValue::new(OperationName::ATTRIBUTE, name.clone()));
    }
    if let Some(identity) = Identity::of(context) {
        attributes.extend(identity.attributes());
    }
}
