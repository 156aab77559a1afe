use opentelemetry::{KeyValue, Value, otel_warn};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use percent_encoding::percent_decode_str;

use crate::config::environment::{OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME};

const SERVICE_NAME: &str = "service.name";

/// The variables of Azure hosts that name the service, its version and its instance.
///
/// A function app is an App Service and has the same variables. AKS exposes only the name of the pod; names of
/// workloads come from `OTEL_RESOURCE_ATTRIBUTES`, which the downward API can set.
const HOSTS: [[&str; 3]; 2] = [
    [
        "CONTAINER_APP_NAME",
        "CONTAINER_APP_REVISION",
        "CONTAINER_APP_REPLICA_NAME",
    ],
    [
        "WEBSITE_SITE_NAME",
        "WEBSITE_DEPLOYMENT_ID",
        "WEBSITE_INSTANCE_ID",
    ],
];
const ATTRIBUTES: [&str; 3] = [SERVICE_NAME, "service.version", "service.instance.id"];

/// Merges the attributes of the code, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, the host and the default name.
/// The first source of an attribute wins.
pub(super) fn resolve(
    code: Vec<KeyValue>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Resource {
    let listed = environment(OTEL_RESOURCE_ATTRIBUTES).map(|list| parse_attributes(&list));
    let named = environment(OTEL_SERVICE_NAME).map(|name| KeyValue::new(SERVICE_NAME, name));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attribute(KeyValue::new(SERVICE_NAME, default_service_name()))
        .with_attributes(of_host(environment))
        .with_attributes(listed.unwrap_or_default())
        .with_attributes(named)
        .with_attributes(code)
        .build()
}

/// The attributes that a host of Azure provides.
fn of_host(environment: &dyn Fn(&str) -> Option<String>) -> Vec<KeyValue> {
    let attributes = |variables: &[&str; 3]| {
        let named = ATTRIBUTES.into_iter().zip(variables);
        let known = named.filter_map(|(key, name)| Some(KeyValue::new(key, environment(name)?)));
        known.collect::<Vec<_>>()
    };
    let is_host = |variables: &&[&str; 3]| environment(variables[0]).is_some();
    if let Some(host) = HOSTS.iter().find(is_host) {
        return attributes(host);
    }
    // In a pod, the machine name is the name of the pod.
    let is_pod = environment("KUBERNETES_SERVICE_HOST").is_some();
    let pod = environment("HOSTNAME").filter(|_| is_pod);
    let pod_name = pod.map(|name| KeyValue::new("k8s.pod.name", name));
    let workload = pod_name.as_ref().and_then(|pod| {
        let name = pod.value.as_str();
        Some(KeyValue::new(
            "k8s.deployment.name",
            deployment_of(&name)?.to_owned(),
        ))
    });
    pod_name.into_iter().chain(workload).collect()
}

/// The deployment of a pod with the name `<deployment>-<hash>-<five characters>`, which Kubernetes generates.
fn deployment_of(pod: &str) -> Option<&str> {
    // Kubernetes generates random parts from these characters only, so that they spell no words.
    let is_random = |part: &str| {
        part.bytes()
            .all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
    };
    let (rest, suffix) = pod.rsplit_once('-')?;
    let (deployment, hash) = rest.rsplit_once('-')?;
    let is_pod = suffix.len() == 5 && is_random(suffix);
    let is_hash = (6..=10).contains(&hash.len()) && is_random(hash);
    (is_pod && is_hash && !deployment.is_empty()).then_some(deployment)
}

/// The default of the OpenTelemetry resource specification: `unknown_service:` and the program's name.
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

/// The resource specification discards the whole variable on an error. This function discards only the invalid pair,
/// because the others are still correct.
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
    fn hosts_of_azure_name_the_service_its_version_and_its_instance() {
        for variables in [
            &[
                ("CONTAINER_APP_NAME", "orders"),
                ("CONTAINER_APP_REVISION", "orders--2"),
                ("CONTAINER_APP_REPLICA_NAME", "orders--2-xyz"),
            ],
            &[
                ("WEBSITE_SITE_NAME", "orders"),
                ("WEBSITE_DEPLOYMENT_ID", "orders--2"),
                ("WEBSITE_INSTANCE_ID", "orders--2-xyz"),
            ],
        ] {
            let get = resolved(vec![], variables);
            assert_eq!(get(SERVICE_NAME).unwrap(), "orders");
            assert_eq!(get("service.version").unwrap(), "orders--2");
            assert_eq!(get("service.instance.id").unwrap(), "orders--2-xyz");
            let named = [variables[0], (OTEL_SERVICE_NAME, "mine")];
            assert_eq!(resolved(vec![], &named)(SERVICE_NAME).unwrap(), "mine");
        }
    }

    #[test]
    fn a_pod_tells_its_name_and_its_deployment() {
        let variables = [
            ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
            ("HOSTNAME", "orders-api-6d4cf56db6-x7k2p"),
        ];
        let get = resolved(vec![], &variables);
        assert_eq!(get("k8s.pod.name").unwrap(), "orders-api-6d4cf56db6-x7k2p");
        assert_eq!(get("k8s.deployment.name").unwrap(), "orders-api");
        let machine = [("HOSTNAME", "orders-api-6d4cf56db6-x7k2p")];
        assert_eq!(resolved(vec![], &machine)("k8s.pod.name"), None);
        assert_eq!(deployment_of("orders-0"), None);
        assert_eq!(deployment_of("my-web-server"), None);
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
