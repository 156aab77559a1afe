use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Item, UseTree, Visibility};

use crate::error::Result;
use crate::modules::{self, Source, attributes, extended, is_for_tests};

/// The modules of a crate, and the paths in which they use each other.
#[derive(Debug, Default)]
pub(super) struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
    arrows: Vec<Arrow>,
}

/// A file.
#[derive(Debug, Default)]
struct Module {
    /// Relative to `src/`.
    file: PathBuf,
    /// Re-exported names, with the path of the defining module and the name there.
    exports: BTreeMap<String, Vec<String>>,
    /// Absolute paths in the file, each with the path as written.
    uses: BTreeSet<(Vec<String>, String)>,
    /// Modules that are compiled only for tests.
    test_modules: BTreeSet<String>,
}

/// A file that uses another.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: String,
    to: String,
    /// The path as written.
    pub(super) path: String,
}

impl Arrow {
    /// The child of `folder` that uses another child of it, and that other child.
    pub(super) fn between_children_of(&self, folder: &Path) -> Option<(&str, &str)> {
        let from = child_of(folder, &self.from)?;
        let to = child_of(folder, &self.to)?;
        (from != to).then_some((from, to))
    }
}

/// The direct child of `folder` that is or contains `file`.
fn child_of<'a>(folder: &Path, file: &'a str) -> Option<&'a str> {
    let inside = Path::new(file).strip_prefix(folder).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

impl Crate {
    /// Reads the modules below `src/`.
    pub(super) fn read(source: &Path) -> Result<Self> {
        let mut krate = Self::default();
        for (path, Source { file, syntax }) in modules::read(source)? {
            let mut reader = Reader::new(path.clone(), file);
            reader.visit_file(&syntax);
            krate.modules.insert(path, reader.module);
        }
        krate.leave_tests_out();
        krate.find_arrows();
        Ok(krate)
    }

    /// Every folder, relative to `src/`.
    pub(super) fn folders(&self) -> BTreeSet<&Path> {
        let files = self.modules.values().map(|module| module.file.as_path());
        files.filter_map(Path::parent).collect()
    }

    pub(super) fn arrows(&self) -> &[Arrow] {
        &self.arrows
    }

    fn leave_tests_out(&mut self) {
        let tests: Vec<_> = self
            .modules
            .iter()
            .flat_map(|(path, module)| {
                let names = module.test_modules.iter();
                names.map(|name| extended(path, name))
            })
            .collect();
        self.modules
            .retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
    }

    fn find_arrows(&mut self) {
        let mut arrows = Vec::new();
        for module in self.modules.values() {
            for (path, written) in &module.uses {
                if let Some(target) = self.defined_in(path, 0) {
                    arrows.push(Arrow {
                        from: module.file.display().to_string(),
                        to: target.file.display().to_string(),
                        path: written.clone(),
                    });
                }
            }
        }
        self.arrows = arrows;
    }

    /// The module that defines the name at this path.
    fn defined_in(&self, path: &[String], depth: usize) -> Option<&Module> {
        let length = (0..=path.len())
            .rev()
            .find(|length| self.modules.contains_key(&path[..*length]))?;
        let module = self.modules.get(&path[..length])?;
        let Some(name) = path.get(length) else {
            return Some(module);
        };
        match module.exports.get(name) {
            // Limits chains of re-exports.
            Some(source) if depth < 16 => self.defined_in(source, depth + 1),
            _ => Some(module),
        }
    }
}

/// Collects the uses and exports of a file.
struct Reader {
    path: Vec<String>,
    module: Module,
    /// The number of open inline modules.
    depth: usize,
}

impl Reader {
    fn new(path: Vec<String>, file: PathBuf) -> Self {
        let module = Module {
            file,
            ..Module::default()
        };
        Self {
            path,
            module,
            depth: 0,
        }
    }

    /// The absolute path of a path that starts with `crate`, `self` or `super`.
    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let (first, mut rest) = segments.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => {
                // An inline module belongs to its file.
                let mut base = self.path.clone();
                let mut levels = usize::from(first == "super");
                while let Some((next, others)) = rest.split_first() {
                    if next != "super" {
                        break;
                    }
                    levels += 1;
                    rest = others;
                }
                for _ in 0..levels.saturating_sub(self.depth) {
                    base.pop()?;
                }
                base
            }
            _ => return None,
        };
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn add_use(&mut self, segments: &[String], name: &str, is_exported: bool) {
        let Some(path) = self.absolute(segments) else {
            return;
        };
        if is_exported && self.depth == 0 {
            self.module.exports.insert(name.to_owned(), path);
        } else {
            self.module.uses.insert((path, segments.join("::")));
        }
    }

    fn add_tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>, is_exported: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_tree(&path.tree, prefix, is_exported);
                prefix.pop();
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let mut path = prefix.clone();
                if name != "self" {
                    path.push(name.clone());
                }
                self.add_use(&path, &name, is_exported);
            }
            UseTree::Rename(rename) => {
                let path = extended(prefix, &rename.ident.to_string());
                self.add_use(&path, &rename.rename.to_string(), is_exported);
            }
            UseTree::Glob(_) => {
                let path = prefix.clone();
                self.add_use(&path, "*", false);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, prefix, is_exported);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = attributes(item);
        if attributes.iter().any(is_for_tests) {
            if let Item::Mod(module) = item {
                self.module.test_modules.insert(module.ident.to_string());
            }
            return;
        }
        match item {
            Item::Use(item) => {
                let is_exported = !matches!(item.vis, Visibility::Inherited);
                self.add_tree(&item.tree, &mut Vec::new(), is_exported);
            }
            Item::Mod(module) => {
                self.depth += 1;
                visit::visit_item_mod(self, module);
                self.depth -= 1;
            }
            item => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let segments: Vec<_> = segments.map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.add_use(&segments, "", false);
        }
        visit::visit_path(self, path);
    }
}
