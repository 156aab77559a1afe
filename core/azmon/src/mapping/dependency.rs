//! Dependencies: spans of clients and producers, and internal spans.

use opentelemetry::trace::SpanKind;

use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::network::peer_and_port;
use crate::mapping::{database, http, messaging, rpc};

/// The type of calls over HTTP.
pub(super) const HTTP: &str = "Http";

const AZURE_NAMESPACE: [Key; 2] = [Key::AzureResourceProviderNamespace, Key::AzNamespace];
/// Prefix of the namespaces that the Azure SDK for Rust uses for parts of a storage account: `Storage.Blob.Container`.
const RUST_STORAGE: &str = "Storage.";
/// Namespace of the other SDKs, for which the portal has an icon.
const STORAGE: &str = "Microsoft.Storage";
const GEN_AI_SYSTEM: [Key; 2] = [Key::GenAiProviderName, Key::GenAiSystem];

/// The kind of call that a span describes, by the first matching attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call<'a> {
    Http,
    Database,
    Rpc,
    Azure(&'a str),
    Messaging,
    GenAi(&'a str),
    InProcess,
    Other,
}

impl<'a> Call<'a> {
    /// Classifies the call. It does not mark Azure's namespace and the generative AI system as used, because the
    /// portal's own views read them from the custom dimensions.
    pub(super) fn of(attributes: &Attributes<'a>, kind: &SpanKind) -> Self {
        let first = |keys| attributes.peek_first(keys).map(|(_, text)| text);
        let is_messaging = match kind {
            SpanKind::Producer => true,
            SpanKind::Client => attributes.peek(Key::MessagingSystem).is_some(),
            _ => false,
        };
        if first(&http::METHOD).is_some() {
            Self::Http
        } else if first(&database::SYSTEM).is_some() {
            Self::Database
        } else if first(&rpc::SYSTEM).is_some() {
            Self::Rpc
        } else if let Some(namespace) = first(&AZURE_NAMESPACE) {
            Self::Azure(resource_provider(namespace))
        } else if is_messaging {
            Self::Messaging
        } else if let Some(system) = first(&GEN_AI_SYSTEM) {
            Self::GenAi(system)
        } else if *kind == SpanKind::Client {
            Self::Other
        } else {
            Self::InProcess
        }
    }
}

/// The namespace, with the name of Azure's resource provider.
fn resource_provider(namespace: &str) -> &str {
    if namespace.starts_with(RUST_STORAGE) {
        STORAGE
    } else {
        namespace
    }
}

/// The name of the dependency.
pub(super) fn name<'a>(call: Call<'a>, attributes: &Attributes<'a>, span_name: &'a str) -> &'a str {
    attributes
        .take(Key::MicrosoftDependencyName)
        .or_else(|| match call {
            Call::Http => {
                http::templated(attributes, span_name).or_else(|| http::method_and_path(attributes))
            }
            _ => None,
        })
        .unwrap_or(span_name)
}

/// The type of the dependency.
pub(super) fn dependency_type<'a>(
    call: Call<'a>,
    attributes: &Attributes<'a>,
    kind: &SpanKind,
) -> Option<&'a str> {
    let arena = attributes.arena();
    attributes
        .take(Key::MicrosoftDependencyType)
        .or_else(|| match call {
            Call::Http => Some(HTTP),
            Call::Database => database::dependency_type(attributes),
            Call::Rpc => rpc::dependency_type(attributes),
            Call::Azure(namespace) => Some(match kind {
                SpanKind::Producer => arena.concat(&["Queue Message | ", namespace]),
                SpanKind::Internal => arena.concat(&["InProc | ", namespace]),
                _ => namespace,
            }),
            Call::Messaging => match (kind, attributes.take(Key::MessagingSystem)) {
                (SpanKind::Producer, Some(system)) => {
                    Some(arena.concat(&["Queue Message | ", system]))
                }
                (SpanKind::Producer, None) => Some("Queue Message"),
                (_, system) => system,
            },
            Call::GenAi(system) => Some(arena.concat(&["GenAI | ", system])),
            Call::InProcess => Some("InProc"),
            Call::Other => Some("Dependency"),
        })
}

/// The target of the dependency. Internal spans have none.
pub(super) fn target<'a>(
    call: Call<'a>,
    attributes: &Attributes<'a>,
    kind: &SpanKind,
) -> Option<&'a str> {
    let is_internal = *kind == SpanKind::Internal;
    attributes
        .take(Key::MicrosoftDependencyTarget)
        .or_else(|| match call {
            Call::Http => http::target(attributes),
            Call::Database => database::target(attributes),
            Call::Rpc => rpc::target(attributes),
            Call::Azure(_) | Call::GenAi(_) if is_internal => None,
            Call::Azure(_) | Call::Messaging => messaging::target(attributes),
            Call::GenAi(system) => Some(system),
            Call::InProcess => None,
            Call::Other => peer_and_port(attributes, |_| false),
        })
}

/// The command: a URL or a statement.
pub(super) fn data<'a>(call: Call<'a>, attributes: &Attributes<'a>) -> Option<&'a str> {
    attributes
        .take(Key::MicrosoftDependencyData)
        .or_else(|| match call {
            Call::Http => http::url(attributes, http::Side::Client),
            Call::Database => database::data(attributes),
            _ => None,
        })
}
