//! The checked-in list of each library's public items, which shows interface changes in reviews.
//!
//! The list is read from the source, with every feature. It omits `#[doc(hidden)]` items, like the documentation.
//! Methods from a local macro with parameters, or with paths of `$crate`, are listed with the macro's name.

mod items;
mod render;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use self::items::Items;
use crate::error::Result;
use crate::modules;

/// The name of the list in a crate's folder.
const FILE: &str = "public-api.txt";

#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Write the lists instead of comparing them.
    #[arg(long)]
    write: bool,
}

/// A library: its name in code, and its folder.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

/// Writes the lists.
pub(crate) fn run(options: &Options, libraries: &[Library]) -> Result {
    if !options.write {
        return check(libraries);
    }
    for library in libraries {
        let list = list(&library.name, &library.folder.join("src"))?;
        fs::write(library.folder.join(FILE), list)?;
    }
    Ok(())
}

/// Fails if a list differs from the source, and prints the differing lines.
pub(crate) fn check(libraries: &[Library]) -> Result {
    let mut differences = String::new();
    for library in libraries {
        let expected = list(&library.name, &library.folder.join("src"))?;
        let path = library.folder.join(FILE);
        let found = fs::read_to_string(&path).unwrap_or_default();
        differences += &difference(&path, &found, &expected);
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the public items have changed; `cargo xtask public-api --write` writes the lists:\n{differences}"
    )
    .into())
}

fn difference(path: &Path, found: &str, expected: &str) -> String {
    let lines = |text: &'_ str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (found, expected) = (lines(found), lines(expected));
    let removed = found
        .difference(&expected)
        .map(|line| format!("- {line}\n"));
    let added = expected
        .difference(&found)
        .map(|line| format!("+ {line}\n"));
    let changes: String = removed.chain(added).collect();
    if changes.is_empty() {
        changes
    } else {
        format!("{}\n{changes}", path.display())
    }
}

fn list(name: &str, source: &Path) -> Result<String> {
    let modules = modules::read(source)?;
    let lines: BTreeSet<_> = Items::of(name, &modules).lines();
    Ok(lines
        .into_iter()
        .fold(String::new(), |text, line| text + &line + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of a crate `c` with these files.
    fn listed(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let list = list("c", folder.path()).unwrap();
        list.lines().map(str::to_owned).collect()
    }

    #[test]
    fn items_are_listed_where_users_find_them() {
        let list = listed(&[
            (
                "lib.rs",
                "mod a; pub mod b; pub use self::a::A as Alpha; pub use http::Uri;",
            ),
            (
                "a.rs",
                "pub struct A { pub x: u8, y: u8 } impl A { pub fn get(&self) -> u8 { self.y } fn own() {} } pub struct Unreachable;",
            ),
            (
                "b.rs",
                "pub use crate::a::A; pub trait T { fn t(&self); } impl T for A { fn t(&self) {} }",
            ),
        ]);
        let expected = [
            "pub fn c::Alpha::get(&self) -> u8",
            "pub fn c::b::A::get(&self) -> u8",
            "pub struct c::Alpha { pub x: u8, .. }",
            "pub struct c::b::A { pub x: u8, .. }",
            "pub trait c::b::T { fn t(&self); }",
            "pub use c::Uri = http::Uri",
            "impl T for c::Alpha",
            "impl T for c::b::A",
        ];
        let sorted: BTreeSet<_> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(list, sorted.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn hidden_items_and_tests_are_left_out() {
        let list = listed(&[(
            "lib.rs",
            "#[doc(hidden)] pub mod h { pub struct X; } #[doc(hidden)] pub struct H; #[cfg(test)] pub struct T; pub struct S;
             impl S { #[doc(hidden)] pub fn h(&self) {} }",
        )]);
        assert_eq!(list, ["pub struct c::S;"]);
    }

    #[test]
    fn methods_that_a_macro_writes_are_listed() {
        let list = listed(&[(
            "lib.rs",
            "macro_rules! setters { () => { pub fn limit(mut self, limit: u32) -> Self { self } fn own(&self) {} }; }
             macro_rules! named { ($value:ty) => { pub fn size(self, size: $value) -> Self { self } }; }
             pub struct S; impl S { setters!(); named!(u8); }",
        )]);
        assert_eq!(
            list,
            [
                "pub fn c::S::limit(mut self, limit: u32) -> Self",
                "pub fn c::S::size(..), by named!",
                "pub struct c::S;",
            ]
        );
    }

    #[test]
    fn a_difference_names_the_lines() {
        let text = difference(Path::new("p"), "a\nb\n", "b\nc\n");
        assert_eq!(text, "p\n- a\n+ c\n");
        assert_eq!(difference(Path::new("p"), "a\n", "a\n"), "");
    }
}
