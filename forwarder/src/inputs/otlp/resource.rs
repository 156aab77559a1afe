//! Resources: the mapper of each, cached for later messages of the same resource.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use azmon::envelope::{Envelope, tags};
use azmon::mapping::{Mapper, MappingOptions};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::inputs::otlp::attributes::{to_attributes, to_texts};
use crate::sink::ReceivedItem;

/// The maximum number of cached resources. One more clears the cache.
const MOST_RESOURCES: usize = 1_024;

/// The role of a service without a name and a workload. The forwarder's own program name would be wrong.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Attributes that name a role without `service.name`, as the mapper does.
const WORKLOADS: [&str; 7] = [
    "service.name",
    "k8s.deployment.name",
    "k8s.replicaset.name",
    "k8s.statefulset.name",
    "k8s.job.name",
    "k8s.cronjob.name",
    "k8s.daemonset.name",
];

/// The cache of resources.
#[derive(Debug)]
pub(super) struct Resources {
    instrumentation_key: String,
    options: MappingOptions,
    hasher: RandomState,
    known: Mutex<HashMap<Vec<u8>, Arc<KnownResource>>>,
}

/// A resource, and its contribution to every item.
#[derive(Debug)]
pub(super) struct KnownResource {
    pub(super) mapper: Mapper,
    pub(super) attributes: Arc<[(String, String)]>,
    /// A hash of the attributes: equal for the same resource in every signal.
    pub(super) id: u64,
    sdk_version: String,
}

impl Resources {
    pub(super) fn new(instrumentation_key: String, options: MappingOptions) -> Self {
        Self {
            instrumentation_key,
            options,
            hasher: RandomState::new(),
            known: Mutex::default(),
        }
    }

    pub(super) fn of(&self, resource: Option<Resource>) -> Arc<KnownResource> {
        let resource = resource.unwrap_or_default();
        let key = resource.encode_to_vec();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&key) {
            return known.clone();
        }
        if known.len() >= MOST_RESOURCES {
            known.clear();
        }
        let made = Arc::new(self.make(resource));
        known.insert(key, made.clone());
        made
    }

    fn make(&self, resource: Resource) -> KnownResource {
        let mut attributes = to_texts(&resource.attributes);
        // Senders use different orders, even for each signal.
        attributes.sort_unstable();
        let attributes: Arc<[_]> = attributes.into();
        let id = self.hasher.hash_one(&attributes);
        let text = |name: &str| {
            let found = attributes.iter().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let mut options = self.options.clone();
        if WORKLOADS.iter().all(|name| text(name).is_none()) {
            options = options.role_name(UNKNOWN_SERVICE);
        }
        if let Some(host) = text("host.name") {
            options = options.host_name(host);
        }
        let sdk_version = sdk_version(
            text("telemetry.sdk.language"),
            text("telemetry.sdk.version"),
        );
        let sdk_resource = opentelemetry_sdk::Resource::builder_empty()
            .with_attributes(to_attributes(resource.attributes))
            .build();
        KnownResource {
            mapper: Mapper::new(&self.instrumentation_key, &sdk_resource, options),
            sdk_version,
            attributes,
            id,
        }
    }
}

impl KnownResource {
    /// Makes an item of a mapped envelope, with the sender's SDK version instead of this program's.
    pub(super) fn item(&self, envelope: Envelope<'_>) -> ReceivedItem {
        let mut envelope = envelope.into_owned();
        let version = Cow::Owned(self.sdk_version.clone());
        envelope.tags.insert(tags::INTERNAL_SDK_VERSION, version);
        ReceivedItem::from(envelope)
    }
}

/// The SDK version in the form that LocalForwarder uses for OpenCensus: `lf_python-otel:1.2.3`.
fn sdk_version(language: Option<&str>, version: Option<&str>) -> String {
    let language = language.unwrap_or("unspecified");
    let version = version.unwrap_or("0.0.0");
    format!("lf_{language}-otel:{version}")
}
