use tracing_subscriber::filter::{LevelFilter, Targets};

/// Libraries that speak of every connection and every frame. The colons keep the names of others out:
/// `tower::` is not `tower_http`.
const NOISY: [&str; 7] = [
    "h2::",
    "hyper::",
    "hyper_util::",
    "reqwest::",
    "rustls::",
    "tonic::",
    "tower::",
];

/// The targets that [`Telemetry::tracing_layer`](crate::Telemetry::tracing_layer) lets pass: those of
/// `level` and worse, without the insides of hyper, h2, reqwest, rustls, tonic and tower.
///
/// # Examples
///
/// ```
/// use azmon::tracing_targets;
/// use tracing_subscriber::filter::LevelFilter;
///
/// let targets = tracing_targets(LevelFilter::INFO)
///     .with_target("shop::payment", LevelFilter::DEBUG)
///     .with_target("sqlx", LevelFilter::WARN);
/// ```
#[must_use]
pub fn tracing_targets(level: LevelFilter) -> Targets {
    let noisy = NOISY.map(|target| (target, LevelFilter::OFF));
    Targets::new().with_default(level).with_targets(noisy)
}

/// Whether a target is azmon's own or OpenTelemetry's, which never come back as telemetry.
pub(crate) fn is_own(target: &str) -> bool {
    let azmon = target.strip_prefix("azmon");
    let is_azmon = azmon.is_some_and(|rest| {
        // The crates name themselves `azmon-tower`; a program may be called `azmon_something`.
        rest.is_empty() || rest.starts_with("::") || rest.starts_with('-')
    });
    is_azmon || target.starts_with("opentelemetry")
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn only_what_is_noisy_is_kept_out() {
        let targets = tracing_targets(LevelFilter::INFO);
        for (target, level, passes) in [
            ("shop", Level::INFO, true),
            ("shop", Level::DEBUG, false),
            ("tower_http::trace", Level::WARN, true),
            ("tower::buffer", Level::ERROR, false),
            ("hyper_util::client", Level::ERROR, false),
            ("h2::codec", Level::WARN, false),
        ] {
            assert_eq!(targets.would_enable(target, &level), passes, "{target}");
        }
    }

    #[test]
    fn own_targets_are_told_from_those_of_programs() {
        for target in [
            "azmon",
            "azmon::pipeline",
            "azmon-tower",
            "opentelemetry_sdk",
        ] {
            assert!(is_own(target), "{target}");
        }
        for target in ["azmon_examples", "azmonitor", "shop", "open"] {
            assert!(!is_own(target), "{target}");
        }
    }
}
