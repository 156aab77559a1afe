use opentelemetry::{KeyValue, Value, otel_warn};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use percent_encoding::percent_decode_str;

use crate::config::environment::{OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME};

const SERVICE_NAME: &str = "service.name";

/// Merges what the code says, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and the default name, the
/// first of them winning.
pub(super) fn resolve(
    code: Vec<KeyValue>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Resource {
    let listed = environment(OTEL_RESOURCE_ATTRIBUTES).map(|list| parse_attributes(&list));
    let named = environment(OTEL_SERVICE_NAME).map(|name| KeyValue::new(SERVICE_NAME, name));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attribute(KeyValue::new(SERVICE_NAME, default_service_name()))
        .with_attributes(listed.unwrap_or_default())
        .with_attributes(named)
        .with_attributes(code)
        .build()
}

/// The OpenTelemetry resource specification's default: `unknown_service:` and the program's name.
fn default_service_name() -> Value {
    let program = std::env::current_exe().ok();
    let name = program
        .as_ref()
        .and_then(|path| path.file_stem())
        .map(|stem| stem.to_string_lossy());
    match name {
        Some(name) => format!("unknown_service:{name}").into(),
        None => "unknown_service".into(),
    }
}

/// The resource specification asks to discard the whole variable on an error; a bad pair costs only
/// itself here, since the others are still right.
fn parse_attributes(list: &str) -> Vec<KeyValue> {
    list.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .filter_map(|pair| {
            let attribute = parse_attribute(pair);
            if attribute.is_none() {
                otel_warn!(name: "Config.InvalidResourceAttribute", variable = OTEL_RESOURCE_ATTRIBUTES, pair = pair);
            }
            attribute
        })
        .collect()
}

fn parse_attribute(pair: &str) -> Option<KeyValue> {
    let (key, value) = pair.split_once('=')?;
    let decoded = |text: &str| {
        percent_decode_str(text.trim())
            .decode_utf8()
            .ok()
            .map(String::from)
    };
    let key = decoded(key).filter(|key| !key.is_empty())?;
    Some(KeyValue::new(key, decoded(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(
        code: Vec<KeyValue>,
        variables: &[(&str, &str)],
    ) -> impl Fn(&'static str) -> Option<String> + use<> {
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let resource = resolve(code, &move |name| {
            variables
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        });
        move |key| resource.get(&key.into()).map(|value| value.to_string())
    }

    #[test]
    fn the_sdk_is_named_with_its_version() {
        let get = resolved(vec![], &[]);
        assert_eq!(get("telemetry.sdk.language").unwrap(), "rust");
        assert!(get("telemetry.sdk.version").unwrap().starts_with("0."));
    }

    #[test]
    fn the_default_name_is_that_of_the_program() {
        let get = resolved(vec![], &[]);
        assert!(
            get(SERVICE_NAME)
                .unwrap()
                .starts_with("unknown_service:azmon")
        );
    }

    #[test]
    fn code_beats_the_name_variable_which_beats_the_list() {
        let list = (
            OTEL_RESOURCE_ATTRIBUTES,
            "service.name=list,service.version=1",
        );
        let name = (OTEL_SERVICE_NAME, "variable");
        assert_eq!(resolved(vec![], &[list])(SERVICE_NAME).unwrap(), "list");
        assert_eq!(
            resolved(vec![], &[list, name])(SERVICE_NAME).unwrap(),
            "variable"
        );
        let code = vec![KeyValue::new(SERVICE_NAME, "code")];
        let get = resolved(code, &[list, name]);
        assert_eq!(get(SERVICE_NAME).unwrap(), "code");
        assert_eq!(get("service.version").unwrap(), "1");
    }

    #[test]
    fn values_are_percent_decoded_and_bad_pairs_cost_only_themselves() {
        let get = resolved(
            vec![],
            &[(
                OTEL_RESOURCE_ATTRIBUTES,
                " a = x%2Cy%3Dz ,oops,=v,b=%FF,c=, d=ok",
            )],
        );
        assert_eq!(get("a").unwrap(), "x,y=z");
        assert_eq!(get("b"), None);
        assert_eq!(get("c").unwrap(), "");
        assert_eq!(get("d").unwrap(), "ok");
    }
}
