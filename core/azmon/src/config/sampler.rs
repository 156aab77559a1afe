use opentelemetry::otel_warn;

use crate::config::environment::{OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG};
use crate::sampling::{RateChoice, SamplingChoices};

/// The rate of the official distributions if rate limiting has no argument.
const TRACES_PER_SECOND: f64 = 5.0;

/// Applies the sampler of the environment unless the code sets a rate.
pub(super) fn resolve(
    mut choices: SamplingChoices,
    environment: &dyn Fn(&str) -> Option<String>,
) -> SamplingChoices {
    if choices.sampler.is_none()
        && choices.rate.is_none()
        && let Some((rate, parent_based)) = named(environment)
    {
        choices.rate = Some(rate);
        choices.follow_remote_parent.get_or_insert(parent_based);
    }
    choices
}

/// The rate of the sampler that the environment names, and whether it follows remote parents.
fn named(environment: &dyn Fn(&str) -> Option<String>) -> Option<(RateChoice, bool)> {
    let name = environment(OTEL_TRACES_SAMPLER)?;
    let lower = name.trim().to_ascii_lowercase();
    let argument = || environment(OTEL_TRACES_SAMPLER_ARG);
    match lower.as_str() {
        "microsoft.fixed_percentage" | "microsoft.fixed.percentage" => {
            return Some((ratio(argument()), false));
        }
        "microsoft.rate_limited" => return Some((traces_per_second(argument()), false)),
        _ => {}
    }
    let (parent_based, root) = match lower.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, lower.as_str()),
    };
    let rate = match root {
        "always_on" => RateChoice::Ratio(1.0),
        "always_off" => RateChoice::Ratio(0.0),
        "traceidratio" | "trace_id_ratio" => ratio(argument()),
        _ => {
            otel_warn!(name: "Config.UnknownSampler", variable = OTEL_TRACES_SAMPLER, value = name.as_str());
            return None;
        }
    };
    Some((rate, parent_based))
}

fn ratio(argument: Option<String>) -> RateChoice {
    RateChoice::Ratio(number(argument, 0.0..=1.0, 1.0))
}

fn traces_per_second(argument: Option<String>) -> RateChoice {
    RateChoice::TracesPerSecond(number(argument, 0.0..=f64::MAX, TRACES_PER_SECOND))
}

fn number(argument: Option<String>, allowed: std::ops::RangeInclusive<f64>, default: f64) -> f64 {
    let Some(argument) = argument else {
        return default;
    };
    match argument.trim().parse::<f64>() {
        Ok(number) if allowed.contains(&number) => number,
        _ => {
            otel_warn!(name: "Config.InvalidSamplerArgument", variable = OTEL_TRACES_SAMPLER_ARG, value = argument.as_str());
            default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RateChoice::{Ratio, TracesPerSecond};
    use super::*;

    fn resolved(choices: SamplingChoices, name: &str, argument: Option<&str>) -> SamplingChoices {
        resolve(choices, &|variable| {
            let value = match variable {
                OTEL_TRACES_SAMPLER => Some(name),
                OTEL_TRACES_SAMPLER_ARG => argument,
                _ => None,
            };
            value.map(str::to_owned)
        })
    }

    #[test]
    fn every_name_of_a_sampler_has_its_rate() {
        for (name, argument, rate, follow) in [
            ("always_on", None, Ratio(1.0), false),
            ("always_off", Some("1"), Ratio(0.0), false),
            ("traceidratio", Some("0.25"), Ratio(0.25), false),
            ("trace_id_ratio", Some(" 0.5 "), Ratio(0.5), false),
            ("parentbased_always_on", None, Ratio(1.0), true),
            ("ParentBased_Always_Off", None, Ratio(0.0), true),
            ("parentbased_traceidratio", Some("0"), Ratio(0.0), true),
            ("parentbased_trace_id_ratio", None, Ratio(1.0), true),
            ("microsoft.fixed_percentage", Some("0.1"), Ratio(0.1), false),
            ("microsoft.fixed.percentage", None, Ratio(1.0), false),
            (
                "microsoft.rate_limited",
                Some("0.5"),
                TracesPerSecond(0.5),
                false,
            ),
            ("Microsoft.Rate_Limited", None, TracesPerSecond(5.0), false),
        ] {
            let choices = resolved(SamplingChoices::default(), name, argument);
            assert_eq!(choices.rate, Some(rate), "{name}");
            assert_eq!(choices.follow_remote_parent, Some(follow), "{name}");
        }
    }

    #[test]
    fn arguments_that_are_none_are_left_out() {
        for argument in ["", "-1", "NaN", "half"] {
            let fixed = resolved(SamplingChoices::default(), "traceidratio", Some(argument));
            assert_eq!(fixed.rate, Some(Ratio(1.0)), "{argument}");
            let name = "microsoft.rate_limited";
            let limited = resolved(SamplingChoices::default(), name, Some(argument));
            assert_eq!(limited.rate, Some(TracesPerSecond(5.0)), "{argument}");
        }
        let percent = resolved(
            SamplingChoices::default(),
            "microsoft.fixed_percentage",
            Some("25"),
        );
        assert_eq!(percent.rate, Some(Ratio(1.0)));
    }

    #[test]
    fn unknown_names_are_left_out() {
        for name in ["no_such_sampler", "parentbased_microsoft.rate_limited"] {
            let choices = resolved(SamplingChoices::default(), name, None);
            assert_eq!(choices.rate, None, "{name}");
            assert_eq!(choices.follow_remote_parent, None, "{name}");
        }
    }

    #[test]
    fn code_beats_environment() {
        let code = SamplingChoices {
            rate: Some(TracesPerSecond(9.0)),
            ..SamplingChoices::default()
        };
        let choices = resolved(code, "parentbased_always_off", None);
        assert_eq!(choices.rate, Some(TracesPerSecond(9.0)));
        assert_eq!(choices.follow_remote_parent, None);
        let code = SamplingChoices {
            follow_remote_parent: Some(false),
            ..SamplingChoices::default()
        };
        let choices = resolved(code, "parentbased_always_off", None);
        assert_eq!(choices.rate, Some(Ratio(0.0)));
        assert_eq!(choices.follow_remote_parent, Some(false));
    }
}
