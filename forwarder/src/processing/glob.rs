/// A pattern in which `*` matches any text. It ignores the case of ASCII letters.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    /// The texts between the stars, in lower case.
    parts: Vec<String>,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let parts = pattern.split('*');
        Self {
            parts: parts.map(str::to_ascii_lowercase).collect(),
        }
    }

    /// The time is linear in the length of the text, for each part.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|whole| *whole == text);
        };
        let Some(rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else {
            return false;
        };
        for part in middle {
            match rest.split_once(part.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text_and_case_does_not_matter() {
        for (pattern, text, matches) in [
            ("GET /healthz", "get /healthz", true),
            ("GET /healthz", "GET /healthz/x", false),
            ("GET /health*", "GET /healthz/x", true),
            ("*.internal", "db.internal", true),
            ("*a*b*", "xaxbx", true),
            ("a*a", "a", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text),
                matches,
                "{pattern} {text}"
            );
        }
    }
}
