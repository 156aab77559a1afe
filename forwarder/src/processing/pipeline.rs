use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use azmon::envelope::Envelope;
use azmon::live_metrics::LiveStreams;

use crate::config::ForwarderConfig;
use crate::processing::exclude::Exclusions;
use crate::processing::redact::Redactor;
use crate::processing::routing::Routing;
use crate::processing::sampling::Sampler;
use crate::processing::standard_metrics::StandardMetrics;
use crate::sink::Batch;

/// The processing steps of one configuration.
#[derive(Debug)]
pub(crate) struct Pipeline {
    resource_attributes: Vec<String>,
    exclusions: Exclusions,
    redactor: Redactor,
    /// In the order of the destinations; `None` for a destination without live metrics.
    live_metrics: Vec<Option<Arc<LiveStreams>>>,
    standard_metrics: Option<StandardMetrics>,
    sampler: Sampler,
    routing: Routing,
    excluded: AtomicU64,
    sampled_out: AtomicU64,
}

/// Items by the index of their destination.
pub(crate) type Processed = BTreeMap<usize, Vec<Envelope<'static>>>;

impl Pipeline {
    pub(crate) fn new(
        config: &ForwarderConfig,
        live_metrics: Vec<Option<Arc<LiveStreams>>>,
        now: Instant,
    ) -> Self {
        Self {
            resource_attributes: config.resource_attributes.clone(),
            exclusions: Exclusions::new(&config.exclude),
            redactor: Redactor::new(&config.redaction),
            live_metrics,
            standard_metrics: config.standard_metrics.then(StandardMetrics::default),
            sampler: Sampler::new(config.sampling, config.keep_failures, now),
            routing: Routing::new(config),
            excluded: AtomicU64::new(0),
            sampled_out: AtomicU64::new(0),
        }
    }

    /// The destinations that items of a batch go to, in ascending order.
    pub(crate) fn destinations(&self, batch: &Batch) -> Vec<usize> {
        let mut all: Vec<usize> = Vec::new();
        for item in &batch.items {
            let to = self.routing.of(&batch.resource, &item.envelope.i_key);
            all.extend_from_slice(to);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Processes the items of a batch.
    pub(crate) fn process(&self, batch: Batch, now: Instant, into: &mut Processed) {
        let Batch { resource, items } = batch;
        for item in items {
            let mut envelope = item.envelope;
            // Limits come first, so that rules see the text that is sent.
            envelope.apply_limits();
            self.copy_attributes(&mut envelope, &resource);
            if self.exclusions.excludes(&envelope) {
                self.excluded.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.redactor.redact(&mut envelope);
            let to = self.routing.of(&resource, &envelope.i_key);
            for place in to {
                if let Some(Some(live)) = self.live_metrics.get(*place) {
                    live.observe(&envelope);
                }
            }
            if let Some(metrics) = &self.standard_metrics {
                metrics.count(&mut envelope, to);
            }
            if !self.sampler.keeps(&mut envelope, now) {
                self.sampled_out.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let Some((last, others)) = to.split_last() else {
                continue;
            };
            for place in others {
                into.entry(*place).or_default().push(envelope.clone());
            }
            into.entry(*last).or_default().push(envelope);
        }
    }

    /// The standard metrics since the last call.
    pub(crate) fn metrics(&self, time: SystemTime) -> Processed {
        let mut by_destination = Processed::new();
        let taken = self
            .standard_metrics
            .iter()
            .flat_map(|metrics| metrics.take(time));
        for (to, envelope) in taken {
            for place in to {
                let items = by_destination.entry(place).or_default();
                items.push(envelope.clone());
            }
        }
        by_destination
    }

    /// The numbers of excluded and of sampled-out items.
    pub(crate) fn left_out(&self) -> (u64, u64) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (load(&self.excluded), load(&self.sampled_out))
    }

    fn copy_attributes(&self, envelope: &mut Envelope<'static>, resource: &[(String, String)]) {
        for name in &self.resource_attributes {
            let found = resource.iter().find(|(key, _)| key == name);
            if let Some((key, value)) = found
                && envelope.data.properties().get(key).is_none()
            {
                let properties = envelope.data.properties_mut();
                properties.push(key.clone(), value.clone());
            }
        }
    }
}
