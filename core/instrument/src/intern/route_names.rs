use super::bounded_table::BoundedTable;
use super::hash::{TextHasher, ptr_or_text_eq};

/// The names of spans, by method and route, as texts that are never freed.
///
/// A service has a bounded number of routes, so each name is made once. More than [`RouteNames::CAPACITY`] names are a
/// mistake or an attack: further names are not kept, nor are routes of more than [`RouteNames::MAX_LENGTH`] bytes. A
/// lookup takes no lock.
#[derive(Debug)]
pub struct RouteNames {
    names: BoundedTable<(&'static str, RouteName)>,
}

/// The name of a span and its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteName {
    /// `GET /users/{id}`; without a method, the route.
    pub name: &'static str,
    /// `/users/{id}`
    pub route: &'static str,
}

impl RouteNames {
    /// Maximum number of names.
    pub const CAPACITY: usize = BoundedTable::<RouteName>::CAPACITY;

    /// Makes an empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            names: BoundedTable::new(),
        }
    }

    /// Maximum length of a kept route, in bytes.
    pub const MAX_LENGTH: usize = 256;

    /// The name for a method, which may be empty, and a route; `None` if the route is too long or the table is full.
    #[must_use]
    pub fn get(&self, method: &'static str, route: &str) -> Option<RouteName> {
        if route.len() > Self::MAX_LENGTH {
            return None;
        }
        let known = self.names.get(
            hash(method, route),
            |(known, name)| is_it(known, name, method, route),
            || (method, RouteName::leak(method, route)),
        );
        known.map(|(_, name)| *name)
    }

    /// The name for a method and a route, if it is kept.
    #[must_use]
    pub fn find(&self, method: &'static str, route: &str) -> Option<RouteName> {
        let known = self.names.find(hash(method, route), |(known, name)| {
            is_it(known, name, method, route)
        });
        known.map(|(_, name)| *name)
    }
}

fn hash(method: &str, route: &str) -> u64 {
    let mut hasher = TextHasher::default();
    hasher.write(method);
    hasher.write(route);
    hasher.finish()
}

fn is_it(known: &str, name: &RouteName, method: &str, route: &str) -> bool {
    ptr_or_text_eq(known, method) && ptr_or_text_eq(name.route, route)
}

impl RouteName {
    fn leak(method: &str, route: &str) -> Self {
        let route: &'static str = Box::leak(route.into());
        let name = if method.is_empty() {
            route
        } else {
            Box::leak(format!("{method} {route}").into())
        };
        Self { name, route }
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

    #[test]
    fn a_long_route_is_not_kept_and_one_that_is_only_looked_for_neither() {
        let names = RouteNames::new();
        let long = "x".repeat(RouteNames::MAX_LENGTH + 1);
        assert_eq!(names.get("GET", &long), None);
        assert_eq!(names.find("GET", "/a"), None);
        let kept = names.get("GET", "/a");
        assert!(kept.is_some());
        assert_eq!(names.find("GET", "/a"), kept);
        assert_eq!(names.find("PUT", "/a"), None);
    }
}
