/// The tables that `WITH` defines, in lower case, with their scopes.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    names: Vec<Definition>,
    /// Whether definitions were dropped for lack of space.
    overflow: bool,
}

#[derive(Debug)]
struct Definition {
    name: String,
    /// The number of parentheses around the `WITH`.
    depth: usize,
    /// Whether the defining query has ended.
    is_complete: bool,
}

impl Definitions {
    /// Adds a name that is defined at `depth`. It is usable at once if `is_complete`, otherwise after its
    /// defining query.
    pub(super) fn add(&mut self, name: &str, depth: usize, is_complete: bool) {
        if self.names.len() >= MAX_DEFINITIONS {
            self.overflow = true;
            return;
        }
        self.names.push(Definition {
            name: name.to_ascii_lowercase(),
            depth,
            is_complete,
        });
    }

    /// Marks the last definition at `depth` as complete: its query has ended.
    pub(super) fn complete(&mut self, depth: usize) {
        if let Some(last) = self.names.last_mut().filter(|last| last.depth == depth) {
            last.is_complete = true;
        }
    }

    /// Ends the scopes inside a closed parenthesis; `depth` parentheses remain open.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.names.pop_if(|last| last.depth > depth).is_some() {}
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether `name` may be a defined name rather than a real table.
    pub(super) fn contain(&self, name: &str) -> bool {
        self.overflow
            || self
                .names
                .iter()
                .any(|known| known.is_complete && known.name.eq_ignore_ascii_case(name))
    }
}

/// More definitions than real statements have; small enough for a linear search.
const MAX_DEFINITIONS: usize = 64;
