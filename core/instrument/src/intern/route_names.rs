use super::bounded_table::BoundedTable;
use super::hash::TextHasher;
use super::same_text::same_text;

/// The names of spans, by method and route, as texts that are never freed.
///
/// A service has a bounded number of routes, so each name is made once; after [`RouteNames::CAPACITY`] of
/// them, which is a mistake or an attack, the others are not kept. Looking one up takes no lock.
#[derive(Debug)]
pub struct RouteNames {
    names: BoundedTable<(&'static str, RouteName)>,
}

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
    pub const CAPACITY: usize = BoundedTable::<RouteName>::CAPACITY;

    /// Makes an empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            names: BoundedTable::new(),
        }
    }

    /// The name for a method, which may be empty, and a route; `None` when no more are kept.
    #[must_use]
    pub fn get(&self, method: &'static str, route: &str) -> Option<RouteName> {
        let mut hasher = TextHasher::default();
        hasher.write(method);
        hasher.write(route);
        let known = self.names.get(
            hasher.finish(),
            |(known, name)| same_text(known, method) && same_text(name.route, route),
            || (method, RouteName::leak(method, route)),
        );
        known.map(|(_, name)| name)
    }
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
}
