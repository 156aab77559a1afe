use opentelemetry::StringValue;

/// The template of the path of an outgoing request: `/users/{id}`.
///
/// In the extensions of the request, it becomes `url.template` and part of the span's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(pub StringValue);

impl UrlTemplate {
    /// Makes a template. It must come from a small set, because it is an attribute of metrics.
    #[must_use]
    pub fn new(template: impl Into<StringValue>) -> Self {
        Self(template.into())
    }
}

/// The templates of all paths that a client requests.
#[derive(Debug, Clone, Default)]
pub struct UrlTemplates(Vec<Template>);

#[derive(Debug, Clone)]
struct Template {
    text: StringValue,
    segments: Vec<Segment>,
    /// `{*rest}` at the end.
    takes_rest: bool,
}

#[derive(Debug, Clone)]
enum Segment {
    Any,
    Is(Box<str>),
}

impl UrlTemplates {
    /// Adds templates; the first match wins.
    pub fn add<I>(&mut self, templates: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let templates = templates.into_iter();
        self.0
            .extend(templates.map(|text| Template::parse(text.as_ref())));
    }

    /// The template that matches a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&StringValue> {
        let found = self.0.iter().find(|template| template.matches(path))?;
        Some(&found.text)
    }
}

impl Template {
    fn parse(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut takes_rest = false;
        for segment in segments_of(text) {
            let name = segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            match name {
                Some(name) if name.starts_with('*') => takes_rest = true,
                Some(_) => segments.push(Segment::Any),
                None => segments.push(Segment::Is(segment.into())),
            }
        }
        Self {
            text: std::sync::Arc::<str>::from(text).into(),
            segments,
            takes_rest,
        }
    }

    fn matches(&self, path: &str) -> bool {
        let mut path = segments_of(path);
        let is_start = self
            .segments
            .iter()
            .all(|segment| match (segment, path.next()) {
                (Segment::Is(text), Some(segment)) => **text == *segment,
                (Segment::Any, Some(segment)) => !segment.is_empty(),
                (_, None) => false,
            });
        is_start && path.next().is_some() == self.takes_rest
    }
}

fn segments_of(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_template_that_has_the_form_of_the_path_is_found() {
        let mut templates = UrlTemplates::default();
        templates.add([
            "/",
            "/users/me",
            "/users/{id}",
            "/files/{*path}",
            "/a/{b}/c",
        ]);
        for (path, expected) in [
            ("/", Some("/")),
            ("/users/me", Some("/users/me")),
            ("/users/7", Some("/users/{id}")),
            ("/users/", None),
            ("/users", None),
            ("/users/7/x", None),
            ("/files/a/b.css", Some("/files/{*path}")),
            ("/files", None),
            ("/a/x/c", Some("/a/{b}/c")),
            ("/a/x/d", None),
            ("", Some("/")),
        ] {
            let found = templates.find(path).map(StringValue::as_str);
            assert_eq!(found, expected, "{path}");
        }
    }
}
