use crate::config::{DEFAULT_DESTINATION, ForwarderConfig, Route};
use crate::processing::glob::Glob;

/// The destinations of items, as indices into the configuration.
#[derive(Debug)]
pub(super) struct Routing {
    routes: Vec<Compiled>,
    default: Vec<usize>,
}

#[derive(Debug)]
struct Compiled {
    resource: Vec<(String, Glob)>,
    instrumentation_key: Option<String>,
    to: Vec<usize>,
}

impl Routing {
    /// Ignores unknown names: validation rejects a configuration that has one.
    pub(super) fn new(config: &ForwarderConfig) -> Self {
        let place = |name: &str| {
            let mut destinations = config.destinations.iter();
            destinations.position(|destination| destination.name == name)
        };
        let compile = |route: &Route| {
            let mut to: Vec<_> = route.to.iter().filter_map(|name| place(name)).collect();
            to.sort_unstable();
            to.dedup();
            let resource = route.resource.iter();
            Compiled {
                resource: resource
                    .map(|(key, value)| (key.clone(), Glob::new(value)))
                    .collect(),
                instrumentation_key: route.instrumentation_key.clone(),
                to,
            }
        };
        Self {
            routes: config.routes.iter().map(compile).collect(),
            default: place(DEFAULT_DESTINATION).into_iter().collect(),
        }
    }

    /// The destinations of an item with this key and resource.
    pub(super) fn of(&self, resource: &[(String, String)], instrumentation_key: &str) -> &[usize] {
        let fits = |route: &&Compiled| {
            let key = route.instrumentation_key.as_deref();
            key.is_none_or(|key| key.eq_ignore_ascii_case(instrumentation_key))
                && route.resource.iter().all(|(key, glob)| {
                    let mut attributes = resource.iter();
                    attributes.any(|(known, value)| known == key && glob.matches(value))
                })
        };
        match self.routes.iter().find(fits) {
            Some(route) => &route.to,
            None => &self.default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Destination;

    #[test]
    fn the_first_route_that_fits_decides() {
        let route = |resource: &[(&str, &str)], key: Option<&str>, to: &[&str]| Route {
            resource: resource
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            instrumentation_key: key.map(str::to_owned),
            to: to.iter().map(|&name| name.to_owned()).collect(),
        };
        let routing = Routing::new(&ForwarderConfig {
            destinations: ["default", "a", "b"]
                .map(|name| Destination::new(name, ""))
                .to_vec(),
            routes: vec![
                route(&[("service.name", "bill*")], None, &["b", "a", "b"]),
                route(&[], Some("KEY"), &["a"]),
            ],
            ..ForwarderConfig::default()
        });
        let resource = |name: &str| vec![("service.name".to_owned(), name.to_owned())];
        assert_eq!(routing.of(&resource("billing"), "key"), [1, 2]);
        assert_eq!(routing.of(&resource("shop"), "key"), [1]);
        assert_eq!(routing.of(&resource("shop"), ""), [0]);
        assert_eq!(routing.of(&[], "other"), [0]);
    }
}
