use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use opentelemetry::otel_warn;
use opentelemetry_sdk::trace::ShouldSample;

use crate::sampling::head::HeadSampler;
use crate::sampling::overrides::Overrides;
use crate::sampling::rate::Rate;
use crate::sampling::{DecisionLimits, KeepRules, SamplingOverride};

/// The requested sampling rate of new traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RateChoice {
    Ratio(f64),
    TracesPerSecond(f64),
}

/// The sampling settings of code and environment.
#[derive(Debug, Default)]
pub(crate) struct SamplingChoices {
    /// The user's own sampler.
    pub(crate) sampler: Option<Box<dyn ShouldSample>>,
    pub(crate) rate: Option<RateChoice>,
    pub(crate) follow_remote_parent: Option<bool>,
    pub(crate) overrides: Vec<SamplingOverride>,
    pub(crate) keep: KeepRules,
    pub(crate) limits: DecisionLimits,
    /// Whether unsampled spans must be recorded, so that they can be counted.
    pub(crate) record_unsampled: bool,
    /// The same, while this is true.
    pub(crate) record_while: Option<Arc<AtomicBool>>,
}

/// The resolved sampling settings.
#[derive(Debug)]
pub(crate) struct Sampling {
    pub(crate) sampler: Box<dyn ShouldSample>,
    /// The sampler again, if it is azmon's own.
    pub(crate) head: Option<HeadSampler>,
    /// The rules for items that are kept regardless of the rate; `None` without such rules.
    pub(crate) keep: Option<(KeepRules, DecisionLimits)>,
}

impl From<SamplingChoices> for Sampling {
    /// A sampler of the user is never replaced or changed: all other settings are then ignored.
    fn from(choices: SamplingChoices) -> Self {
        if let Some(sampler) = choices.sampler {
            let has_other_exporters = choices.rate.is_some()
                || choices.follow_remote_parent.is_some()
                || !choices.overrides.is_empty()
                || !choices.keep.is_empty();
            if has_other_exporters {
                otel_warn!(name: "Sampling.SettingsIgnored", reason = "there is a sampler of your own");
            }
            return Self {
                sampler,
                head: None,
                keep: None,
            };
        }
        let rate = match choices.rate {
            None => Rate::fixed(1.0),
            Some(RateChoice::Ratio(ratio)) => Rate::fixed(ratio),
            Some(RateChoice::TracesPerSecond(target)) => Rate::limited(target),
        };
        let head = HeadSampler::new(rate, Overrides::new(choices.overrides))
            .follow_remote_parent(choices.follow_remote_parent.unwrap_or_default());
        if head.keeps_everything() {
            return Self {
                // It keeps everything except the spans of excluded requests.
                sampler: Box::new(head.clone()),
                head: Some(head),
                keep: None,
            };
        }
        let keep = Some(choices.keep).filter(|rules| !rules.is_empty());
        let head = head
            .record_unsampled(choices.record_unsampled || keep.is_some())
            .record_while(choices.record_while);
        Self {
            sampler: Box::new(head.clone()),
            head: Some(head),
            keep: keep.map(|rules| (rules, choices.limits)),
        }
    }
}
