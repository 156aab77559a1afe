//! Tags of a resource: role, instance, version, device.

use opentelemetry::Key;
use opentelemetry_sdk::Resource;

use crate::envelope::tags;
use crate::mapping::{Arena, MappingOptions, text};

/// Attributes of Kubernetes workloads, in order of preference.
const KUBERNETES_WORKLOADS: [&str; 6] = [
    "k8s.deployment.name",
    "k8s.replicaset.name",
    "k8s.statefulset.name",
    "k8s.job.name",
    "k8s.cronjob.name",
    "k8s.daemonset.name",
];

/// Prefix of the SDKs' default service name; the program's name may follow.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// The tags that all items of a resource share.
pub(super) fn tags(resource: &Resource, options: &MappingOptions) -> Vec<(&'static str, String)> {
    let text = |key| text_of(resource, key);
    let role = options.role_name.clone();
    let instance = options.role_instance.clone();
    let version = options.application_version.clone();
    let host = || options.host_name.clone().unwrap_or_else(host_name);
    let all = [
        (tags::INTERNAL_SDK_VERSION, Some(sdk_version(resource))),
        (tags::CLOUD_ROLE, role.or_else(|| Some(role_name(resource)))),
        (
            tags::CLOUD_ROLE_INSTANCE,
            instance
                .or_else(|| text("k8s.pod.name"))
                .or_else(|| text("service.instance.id"))
                .or_else(|| Some(host())),
        ),
        (
            tags::APPLICATION_VERSION,
            version.or_else(|| text("service.version")),
        ),
        (tags::DEVICE_ID, text("device.id")),
        (tags::DEVICE_MODEL, text("device.model.name")),
        (tags::DEVICE_OEM_NAME, text("device.manufacturer")),
    ];
    let known = |(tag, value): (_, Option<String>)| Some((tag, value?));
    all.into_iter().filter_map(known).collect()
}

/// `namespace.name` of the service. A service with the default name gets the name of its workload.
fn role_name(resource: &Resource) -> String {
    let text = |key| text_of(resource, key);
    let name = text("service.name").unwrap_or_else(unknown_service);
    let workload = || KUBERNETES_WORKLOADS.into_iter().find_map(text);
    let service = || match text("service.namespace") {
        Some(namespace) => format!("{namespace}.{name}"),
        None => name.clone(),
    };
    if name.starts_with(UNKNOWN_SERVICE) {
        workload().unwrap_or_else(service)
    } else {
        service()
    }
}

fn unknown_service() -> String {
    let program = std::env::current_exe().ok();
    match program.as_deref().and_then(|path| path.file_name()) {
        Some(name) => format!("{UNKNOWN_SERVICE}:{}", name.to_string_lossy()),
        None => UNKNOWN_SERVICE.to_owned(),
    }
}

fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// `[platform][system][attached]_language:otelVERSION:extVERSION`, in the form of the official exporters: here an
/// unknown platform, and an exporter that the program added itself.
fn sdk_version(resource: &Resource) -> String {
    let system = match std::env::consts::OS {
        "linux" => "l",
        "windows" => "w",
        _ => "u",
    };
    let sdk = text_of(resource, "telemetry.sdk.version").unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    format!("u{system}m_rust:otel{sdk}:ext{version}")
}

fn text_of(resource: &Resource, key: &'static str) -> Option<String> {
    let value = resource.get(&Key::from_static_str(key))?;
    text::of_scalar(&value, &Arena::new()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;

    use super::*;

    fn resource(pairs: &[(&'static str, &'static str)]) -> Resource {
        let attributes = pairs.iter().map(|(key, value)| KeyValue::new(*key, *value));
        Resource::builder_empty()
            .with_attributes(attributes)
            .build()
    }

    fn tag(pairs: &[(&'static str, &'static str)], tag: &str) -> Option<String> {
        let options = MappingOptions::default().host_name("host-1");
        let tags = tags(&resource(pairs), &options);
        tags.into_iter()
            .find(|(key, _)| *key == tag)
            .map(|(_, value)| value)
    }

    #[test]
    fn the_role_is_the_services_name_in_its_namespace() {
        for (pairs, role) in [
            (&[("service.name", "shop")][..], "shop"),
            (
                &[("service.name", "shop"), ("service.namespace", "eu")],
                "eu.shop",
            ),
            (
                &[("service.name", "shop"), ("k8s.deployment.name", "dep")],
                "shop",
            ),
            (
                &[("k8s.daemonset.name", "ds"), ("k8s.job.name", "job")],
                "job",
            ),
            (
                &[
                    ("service.name", "unknown_service:x"),
                    ("k8s.statefulset.name", "sts"),
                ],
                "sts",
            ),
            (
                &[("service.name", "unknown_service:x")],
                "unknown_service:x",
            ),
        ] {
            assert_eq!(
                tag(pairs, tags::CLOUD_ROLE).as_deref(),
                Some(role),
                "{pairs:?}"
            );
        }
        assert!(
            tag(&[], tags::CLOUD_ROLE).is_some_and(|role| role.starts_with("unknown_service:"))
        );
    }

    #[test]
    fn the_instance_is_the_pod_else_the_service_instance_else_the_host() {
        for (pairs, instance) in [
            (
                &[("k8s.pod.name", "pod"), ("service.instance.id", "id")][..],
                "pod",
            ),
            (&[("service.instance.id", "id")], "id"),
            (&[("service.instance.id", "")], "host-1"),
            (&[], "host-1"),
        ] {
            let found = tag(pairs, tags::CLOUD_ROLE_INSTANCE);
            assert_eq!(found.as_deref(), Some(instance), "{pairs:?}");
        }
    }

    #[test]
    fn options_beat_the_resource() {
        let options = MappingOptions::default()
            .role_name("role")
            .role_instance("instance")
            .application_version("2");
        let tags = tags(
            &resource(&[("service.name", "shop"), ("service.version", "1")]),
            &options,
        );
        for (tag, expected) in [
            (tags::CLOUD_ROLE, "role"),
            (tags::CLOUD_ROLE_INSTANCE, "instance"),
            (tags::APPLICATION_VERSION, "2"),
        ] {
            assert!(tags.contains(&(tag, expected.to_owned())), "{tag}");
        }
    }

    #[test]
    fn the_sdk_version_has_the_official_shape() {
        let version = sdk_version(&Resource::builder().build());
        assert!(version.contains("m_rust:otel0."), "{version}");
        assert!(
            version.ends_with(concat!(":ext", env!("CARGO_PKG_VERSION"))),
            "{version}"
        );
        assert!(version.len() <= 64, "{version}");
    }
}
