/// The names of tables that `WITH` defines, in lower case, where they can be used.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    names: Vec<Definition>,
    /// Whether there were more than are kept.
    overflow: bool,
}

#[derive(Debug)]
struct Definition {
    name: String,
    /// How many parentheses the `WITH` is in.
    depth: usize,
    /// Whether the query that defines it has been passed.
    is_complete: bool,
}

impl Definitions {
    /// Adds a name that is defined at `depth`: usable from there on, or after the query that defines it.
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

    /// The query that defines the last name at `depth` has been passed.
    pub(super) fn complete(&mut self, depth: usize) {
        if let Some(last) = self.names.last_mut().filter(|last| last.depth == depth) {
            last.is_complete = true;
        }
    }

    /// A parenthesis has closed, after which `depth` are open.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.names.pop_if(|last| last.depth > depth).is_some() {}
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether `name` may be none of a real table.
    pub(super) fn contain(&self, name: &str) -> bool {
        self.overflow
            || self
                .names
                .iter()
                .any(|known| known.is_complete && known.name.eq_ignore_ascii_case(name))
    }
}

/// More tables than a statement defines, so that looking for one is quick.
const MAX_DEFINITIONS: usize = 64;
