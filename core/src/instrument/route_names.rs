use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use arc_swap::ArcSwapOption;

use super::hash::TextHasher;

/// The names of spans, by method and route, as texts that are never freed.
///
/// A service has a bounded number of routes, so each name is made once; after [`RouteNames::CAPACITY`] of
/// them, which is a mistake or an attack, the others are not kept. Looking one up takes no lock.
#[derive(Debug)]
pub struct RouteNames {
    names: ArcSwapOption<Names>,
}

type Names = HashMap<(&'static str, &'static str), RouteName, BuildHasherDefault<TextHasher>>;

/// The name of a span, and the route in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteName {
    /// `GET /users/{id}`; without a method, the route.
    pub name: &'static str,
    /// `/users/{id}`
    pub route: &'static str,
}

impl RouteNames {
    /// How many names are kept at most.
    pub const CAPACITY: usize = 1_024;

    /// Makes an empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            names: ArcSwapOption::const_empty(),
        }
    }

    /// The name for a method, which may be empty, and a route; `None` when no more are kept.
    #[must_use]
    pub fn get(&self, method: &'static str, route: &str) -> Option<RouteName> {
        let names = self.names.load();
        match names.as_ref().and_then(|names| names.get(&(method, route))) {
            Some(name) => Some(*name),
            None if names
                .as_ref()
                .is_some_and(|names| names.len() >= Self::CAPACITY) =>
            {
                None
            }
            None => Some(self.insert(method, route)),
        }
    }

    /// Two threads may make the same name; one of them stays in the table, and both are right.
    #[cold]
    fn insert(&self, method: &'static str, route: &str) -> RouteName {
        let route: &'static str = Box::leak(route.into());
        let name = if method.is_empty() {
            route
        } else {
            Box::leak(format!("{method} {route}").into())
        };
        let entry = RouteName { name, route };
        self.names.rcu(|names| {
            let mut names = names
                .as_ref()
                .map_or_else(Names::default, |names| Names::clone(names));
            names.insert((method, route), entry);
            Some(names.into())
        });
        entry
    }
}

impl Default for RouteNames {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_once() {
        let names = RouteNames::new();
        let first = names.get("GET", "/users/{id}").unwrap();
        assert_eq!(first.name, "GET /users/{id}");
        assert_eq!(first.route, "/users/{id}");
        let again = names.get("GET", &String::from("/users/{id}")).unwrap();
        assert!(std::ptr::eq(first.name, again.name));
        assert_eq!(
            names.get("PUT", "/users/{id}").unwrap().name,
            "PUT /users/{id}"
        );
        assert_eq!(names.get("", "a.B/C").unwrap().name, "a.B/C");
    }

    #[test]
    fn the_table_is_bounded() {
        let names = RouteNames::new();
        for number in 0..RouteNames::CAPACITY {
            assert!(names.get("GET", &format!("/{number}")).is_some());
        }
        assert_eq!(names.get("GET", "/one-more"), None);
        assert!(names.get("GET", "/0").is_some());
    }
}
