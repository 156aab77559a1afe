use tracing_subscriber::filter::{LevelFilter, Targets};

/// Libraries with an event for every connection and every frame. The colons exclude other libraries: `tower::` does not
/// match `tower_http`.
const NOISY: [&str; 7] = [
    "h2::",
    "hyper::",
    "hyper_util::",
    "reqwest::",
    "rustls::",
    "tonic::",
    "tower::",
];

/// The targets that [`Telemetry::tracing_layer`](crate::Telemetry::tracing_layer) accepts: `level` and worse, without
/// the internals of hyper, h2, reqwest, rustls, tonic and tower.
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

/// Whether a target belongs to azmon or OpenTelemetry, whose events never become telemetry.
pub(crate) fn is_own(target: &str) -> bool {
    let azmon = target.strip_prefix("azmon");
    let is_azmon = azmon.is_some_and(|rest| {
        // The crates are called `azmon-tower` and similar; a program may be called `azmon_something`.
        rest.is_empty() || rest.starts_with("::") || rest.starts_with('-')
    });
    is_azmon || target.starts_with("opentelemetry")
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn only_noisy_targets_are_excluded() {
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
    fn own_targets_are_distinguished_from_those_of_programs() {
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
