//! Nodes: the senders of streams and connections.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use azmon::envelope::{Data, Envelope, tags};
use azmon::mapping::{Mapper, MappingOptions};
use opentelemetry::KeyValue;

use crate::proto::opencensus::proto::agent::common::v1::library_info::Language;
use crate::proto::opencensus::proto::agent::common::v1::{LibraryInfo, Node};
use crate::proto::opencensus::proto::resource::v1::Resource;
use crate::sink::ReceivedItem;

/// The number of connections whose last node is remembered, and the time; both are LocalForwarder's.
const MOST_PEERS: usize = 1_000;
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// The role of a node without a service name.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// The remote address of a connection; `None` if it has no address.
pub(super) type Peer = Option<SocketAddr>;

/// Makes and caches senders.
#[derive(Debug)]
pub(super) struct Nodes {
    instrumentation_key: String,
    options: MappingOptions,
    hasher: RandomState,
    by_peer: Mutex<HashMap<Peer, (Arc<Sender>, Instant)>>,
}

/// A sender: a node and its resource.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) mapper: Mapper,
    pub(super) attributes: Arc<[(String, String)]>,
    pub(super) node: Node,
    /// Equal for equal nodes and resources.
    pub(super) id: u64,
    instrumentation_key: String,
    resource: Resource,
    sdk_version: String,
}

impl Nodes {
    pub(super) fn new(instrumentation_key: String, options: MappingOptions) -> Self {
        Self {
            instrumentation_key,
            options,
            hasher: RandomState::new(),
            by_peer: Mutex::default(),
        }
    }

    /// The sender of a message: from the message, else from earlier messages of the stream, else from the
    /// connection.
    pub(super) fn of(
        &self,
        peer: Peer,
        node: Option<Node>,
        resource: Option<Resource>,
        stream: &mut Option<Arc<Sender>>,
    ) -> Arc<Sender> {
        let known = || stream.clone().or_else(|| self.remembered(peer));
        let sender = match (node, resource) {
            (None, None) => {
                known().unwrap_or_else(|| self.make(Node::default(), Resource::default()))
            }
            (node, resource) => {
                let known = known();
                let node = node.or_else(|| known.as_ref().map(|known| known.node.clone()));
                let resource =
                    resource.or_else(|| known.as_ref().map(|known| known.resource.clone()));
                let (node, resource) = (node.unwrap_or_default(), resource.unwrap_or_default());
                let is_same =
                    |known: &Arc<Sender>| known.node == node && known.resource == resource;
                let same = known.filter(is_same);
                let sender = same.unwrap_or_else(|| self.make(node, resource));
                self.remember(peer, sender.clone());
                sender
            }
        };
        *stream = Some(sender.clone());
        sender
    }

    fn remembered(&self, peer: Peer) -> Option<Arc<Sender>> {
        let by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, since) = by_peer.get(&peer)?;
        (since.elapsed() < MEMORY).then(|| sender.clone())
    }

    fn remember(&self, peer: Peer, sender: Arc<Sender>) {
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if by_peer.len() >= MOST_PEERS && !by_peer.contains_key(&peer) {
            let oldest = by_peer.iter().min_by_key(|(_, (_, since))| *since);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                by_peer.remove(&oldest);
            }
        }
        by_peer.insert(peer, (sender, Instant::now()));
    }

    fn make(&self, node: Node, resource: Resource) -> Arc<Sender> {
        let attributes: Arc<[(String, String)]> = attributes(&node, &resource).into();
        let service = node
            .service_info
            .as_ref()
            .map(|service| service.name.as_str());
        let service = service.filter(|name| !name.is_empty());
        let mut options = self.options.clone();
        if service.is_none() && !resource.labels.keys().any(|key| key.starts_with("k8s.")) {
            options = options.role_name(UNKNOWN_SERVICE);
        }
        if let Some(identifier) = &node.identifier {
            options = options.role_instance(format!("{}.{}", identifier.host_name, identifier.pid));
        }
        let of_resource = resource.labels.iter();
        let sdk_attributes = of_resource
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
            .chain(service.map(|name| KeyValue::new("service.name", name.to_owned())));
        let sdk_resource = opentelemetry_sdk::Resource::builder_empty()
            .with_attributes(sdk_attributes)
            .build();
        Arc::new(Sender {
            mapper: Mapper::new(&self.instrumentation_key, &sdk_resource, options),
            instrumentation_key: self.instrumentation_key.clone(),
            id: self.hasher.hash_one(&attributes),
            attributes,
            sdk_version: sdk_version(node.library_info.as_ref()),
            node,
            resource,
        })
    }
}

impl Sender {
    /// Makes an item of data other than a span.
    pub(super) fn envelope(&self, time: SystemTime, data: Data<'_>) -> ReceivedItem {
        let mut envelope = Envelope::new(time, data);
        envelope.i_key = Cow::Borrowed(&self.instrumentation_key);
        let attribute = |name: &str| {
            let found = self.attributes.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let role = attribute("service.name").unwrap_or_else(|| UNKNOWN_SERVICE.to_owned());
        envelope.tags.insert(tags::CLOUD_ROLE, role);
        if let Some(identifier) = &self.node.identifier {
            let instance = format!("{}.{}", identifier.host_name, identifier.pid);
            envelope.tags.insert(tags::CLOUD_ROLE_INSTANCE, instance);
        }
        self.item(envelope)
    }

    /// Makes an item of a mapped envelope, with the sender's SDK version instead of this program's.
    pub(super) fn item(&self, envelope: Envelope<'_>) -> ReceivedItem {
        let mut envelope = envelope.into_owned();
        let version = Cow::Owned(self.sdk_version.clone());
        envelope.tags.insert(tags::INTERNAL_SDK_VERSION, version);
        ReceivedItem::from(envelope)
    }
}

/// All attributes of a node and a resource, as pairs of texts.
fn attributes(node: &Node, resource: &Resource) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if let Some(service) = &node.service_info {
        pairs.push(("service.name".to_owned(), service.name.clone()));
    }
    if let Some(identifier) = &node.identifier {
        pairs.push(("host.name".to_owned(), identifier.host_name.clone()));
        pairs.push(("process.pid".to_owned(), identifier.pid.to_string()));
    }
    if !resource.r#type.is_empty() {
        pairs.push((
            "opencensus.resource.type".to_owned(),
            resource.r#type.clone(),
        ));
    }
    let maps = node.attributes.iter().chain(&resource.labels);
    pairs.extend(maps.map(|(key, value)| (key.clone(), value.clone())));
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

/// The SDK version in LocalForwarder's form: `lf_python-oc:0.11.4`.
fn sdk_version(library: Option<&LibraryInfo>) -> String {
    let Some(library) = library else {
        return "lf_unspecified-oc:0.0.0".to_owned();
    };
    let language = match library.language() {
        Language::Unspecified => "unspecified",
        Language::Cpp => "cpp",
        Language::CSharp => "csharp",
        Language::Erlang => "erlang",
        Language::GoLang => "go",
        Language::Java => "java",
        Language::NodeJs => "nodejs",
        Language::Php => "php",
        Language::Python => "python",
        Language::Ruby => "ruby",
        Language::WebJs => "webjs",
    };
    let version = Some(library.core_library_version.as_str());
    let version = version.filter(|version| !version.is_empty());
    format!("lf_{language}-oc:{}", version.unwrap_or("0.0.0"))
}
