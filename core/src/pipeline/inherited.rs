use opentelemetry::{Context, KeyValue};

use crate::instrument::{Identity, OperationName};

/// What a span inherits from the context in which it starts: its operation's name, and who caused it.
pub(crate) fn inherited(context: &Context) -> impl Iterator<Item = KeyValue> {
    let name = OperationName::of(context)
        .map(|OperationName(name)| KeyValue::new(OperationName::ATTRIBUTE, name.clone()));
    let identity = Identity::of(context).into_iter();
    name.into_iter()
        .chain(identity.flat_map(Identity::attributes))
}
