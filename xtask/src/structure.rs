//! The structure of the crates: no circular dependencies between folders or between files.
//!
//! In every folder of a crate's `src/`, its files and subfolders are the nodes. Each path that starts with
//! `crate`, `self` or `super` outside tests is an arrow. A name that a `mod.rs` re-exports leads to the file that
//! defines it. A circle fails, with the uses that cause it.

mod graph;
mod source;

use std::path::{Path, PathBuf};

use self::graph::Graph;
use self::source::Crate;
use crate::error::Result;

/// Fails if the folders or files of a crate form a circle.
pub(crate) fn check(sources: &[PathBuf]) -> Result {
    let mut circles = Vec::new();
    for source in sources {
        circles.extend(circles_of(source)?);
    }
    if circles.is_empty() {
        return Ok(());
    }
    Err(format!("circles:\n\n{}", circles.join("\n\n")).into())
}

fn circles_of(source: &Path) -> Result<Vec<String>> {
    let krate = Crate::read(source)?;
    let mut circles = Vec::new();
    for folder in krate.folders() {
        let mut graph = Graph::default();
        for arrow in krate.arrows() {
            if let Some((from, to)) = arrow.between_children_of(folder) {
                graph.add(from, to, format!("{} uses {}", arrow.from, arrow.path));
            }
        }
        for circle in graph.circles() {
            circles.push(format!("{}: {circle}", source.join(folder).display()));
        }
    }
    Ok(circles)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The circles of a crate with these files.
    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        circles_of(folder.path()).unwrap()
    }

    #[test]
    fn arrows_that_run_one_way_are_no_circle() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; pub use self::a::A;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn folders_that_use_each_other_are_a_circle_that_names_the_uses() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod inner; pub use self::inner::A;"),
            ("a/inner.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub fn b(_: crate::a::A) {} pub struct B;"),
        ]);
        let [circle] = found.as_slice() else {
            panic!("{found:?}");
        };
        for part in [
            "a -> b",
            "a/inner.rs uses crate::b::B",
            "b -> a",
            "b.rs uses crate::a::A",
        ] {
            assert!(circle.contains(part), "{circle}");
        }
    }

    #[test]
    fn files_of_a_folder_are_distinguished_behind_its_re_exports() {
        let one_way = [
            ("lib.rs", "mod a;"),
            (
                "a/mod.rs",
                "mod low; mod high; pub use self::low::Low; pub use self::high::High;",
            ),
            ("a/low.rs", "pub struct Low;"),
            ("a/high.rs", "use super::Low; pub struct High(Low);"),
        ];
        assert!(circles(&one_way).is_empty());
        let mut both_ways = one_way;
        both_ways[2].1 = "use crate::a::{High}; pub struct Low(Option<Box<High>>);";
        assert_eq!(circles(&both_ways).len(), 1);
    }

    #[test]
    fn tests_may_use_everything() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
            (
                "a.rs",
                "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
            ),
            (
                "b.rs",
                "use crate::a::A; pub struct B(A); #[cfg(test)] use crate::tests::T;",
            ),
            (
                "tests.rs",
                "use crate::a::A; use crate::b::B; pub struct T;",
            ),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_file_that_cannot_be_read_as_rust_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lib.rs"), "mod {").unwrap();
        let error = circles_of(folder.path()).unwrap_err().to_string();
        assert!(error.contains("lib.rs"), "{error}");
    }
}
