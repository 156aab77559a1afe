//! The parsed files of a crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::{Attribute, File, Item, Meta, Token};

use crate::error::Result;

/// The path of a module in its crate; empty for the root.
pub(crate) type ModulePath = Vec<String>;

/// The files of a crate by the path of their module.
pub(crate) type Modules = BTreeMap<ModulePath, Source>;

/// A file.
pub(crate) struct Source {
    /// Relative to `src/`.
    pub(crate) file: PathBuf,
    pub(crate) syntax: File,
}

/// Reads every file below `src/`, independent of the crate's features.
pub(crate) fn read(source: &Path) -> Result<Modules> {
    let mut modules = Modules::new();
    read_folder(source, Path::new(""), &[], &mut modules)?;
    Ok(modules)
}

fn read_folder(source: &Path, folder: &Path, path: &[String], modules: &mut Modules) -> Result {
    for entry in fs::read_dir(source.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = folder.join(&name);
        if entry.file_type()?.is_dir() {
            // `bin/` contains other crates.
            if !(path.is_empty() && name == "bin") {
                read_folder(source, &file, &extended(path, &name), modules)?;
            }
        } else if let Some(stem) = name.strip_suffix(".rs") {
            let path = match stem {
                "lib" | "mod" => path.to_vec(),
                "main" if !source.join("lib.rs").exists() => path.to_vec(),
                stem => extended(path, stem),
            };
            let text = fs::read_to_string(source.join(&file))?;
            let syntax = syn::parse_file(&text)
                .map_err(|error| format!("{}: {error}", source.join(&file).display()))?;
            modules.insert(path, Source { file, syntax });
        }
    }
    Ok(())
}

pub(crate) fn extended(path: &[String], name: &str) -> ModulePath {
    let mut path = path.to_vec();
    path.push(name.to_owned());
    path
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether an attribute is a `cfg` that contains `test`, but not as `not(test)`.
pub(crate) fn is_for_tests(attribute: &Attribute) -> bool {
    fn names_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("any") || list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .is_ok_and(|parts| parts.iter().any(names_test)),
            _ => false,
        }
    }
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<Meta>()
            .is_ok_and(|meta| names_test(&meta))
}
