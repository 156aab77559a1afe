use std::collections::{BTreeMap, BTreeSet};

use syn::parse::{ParseStream, Parser};
use syn::{ImplItem, Item, ItemImpl, ItemMacro, Token, Type, UseTree, Visibility};

use super::render;
use crate::modules::{ModulePath, Modules, attributes, extended, is_for_tests};

/// The public items of a crate.
pub(super) struct Items<'a> {
    modules: &'a Modules,
    lines: BTreeSet<String>,
    /// The public paths of each type, by its defining module and its name there.
    types: BTreeMap<(ModulePath, String), BTreeSet<String>>,
    /// The functions that each local macro defines.
    macros: BTreeMap<String, Functions>,
    /// The modules being visited, so that circular re-exports end.
    open: Vec<(ModulePath, String)>,
}

impl<'a> Items<'a> {
    pub(super) fn of(name: &str, modules: &'a Modules) -> Self {
        let mut items = Self {
            modules,
            lines: BTreeSet::new(),
            types: BTreeMap::new(),
            macros: macros(modules),
            open: Vec::new(),
        };
        items.add_module(&[], name);
        items.add_implementations();
        items
    }

    pub(super) fn lines(self) -> BTreeSet<String> {
        self.lines
    }

    fn add_module(&mut self, module: &[String], path: &str) {
        let key = (module.to_vec(), path.to_owned());
        let Some(source) = self.modules.get(module) else {
            return;
        };
        if self.open.contains(&key) {
            return;
        }
        self.open.push(key);
        self.add_items(&source.syntax.items, module, path);
        self.open.pop();
    }

    fn add_items(&mut self, items: &'a [Item], module: &[String], path: &str) {
        for item in items.iter().filter(|item| is_shown(item)) {
            match item {
                Item::Mod(inner) if is_public(&inner.vis) => {
                    let name = inner.ident.to_string();
                    let path = format!("{path}::{name}");
                    match render::inline(inner) {
                        Some(items) => self.add_items(items, &extended(module, &name), &path),
                        None => self.add_module(&extended(module, &name), &path),
                    }
                }
                Item::Use(item) if is_public(&item.vis) => {
                    self.add_use(&item.tree, &mut Vec::new(), module, path);
                }
                item => {
                    if let Some(name) = public_name(item) {
                        self.add_item(item, module, &name, &format!("{path}::{name}"));
                    }
                }
            }
        }
    }

    fn add_item(&mut self, item: &Item, module: &[String], name: &str, path: &str) {
        self.lines.insert(render::item(item, path));
        if matches!(item, Item::Struct(_) | Item::Enum(_)) {
            let key = (module.to_vec(), name.to_owned());
            self.types.entry(key).or_default().insert(path.to_owned());
        }
    }

    fn add_use(&mut self, tree: &UseTree, prefix: &mut Vec<String>, module: &[String], path: &str) {
        let (name, exported) = match tree {
            UseTree::Path(inner) => {
                prefix.push(inner.ident.to_string());
                self.add_use(&inner.tree, prefix, module, path);
                prefix.pop();
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, prefix, module, path);
                }
                return;
            }
            UseTree::Glob(_) => ("*".to_owned(), "*".to_owned()),
            UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(rename) => (rename.ident.to_string(), rename.rename.to_string()),
        };
        let full = extended(prefix, &name);
        let public = format!("{path}::{exported}");
        match absolute(&full, module) {
            Some(target) => self.add_target(&target, &public, 0),
            None => {
                let full = full.join("::");
                self.lines.insert(format!("pub use {public} = {full}"));
            }
        }
    }

    /// Adds the target of a re-export.
    fn add_target(&mut self, target: &[String], public: &str, depth: usize) {
        if self.modules.contains_key(target) {
            return self.add_module(target, public);
        }
        let Some((name, module)) = target.split_last() else {
            return;
        };
        let Some(source) = self.modules.get(module) else {
            return;
        };
        for item in &source.syntax.items {
            if public_name(item).is_some_and(|found| found == *name) {
                self.add_item(item, module, name, public);
            }
            if let Item::Use(item) = item
                && let Some(next) = leads_to(&item.tree, &mut Vec::new(), name)
            {
                match absolute(&next, module) {
                    // Limits chains of re-exports.
                    Some(next) if depth < 16 => self.add_target(&next, public, depth + 1),
                    Some(_) => {}
                    None => {
                        let next = next.join("::");
                        self.lines.insert(format!("pub use {public} = {next}"));
                    }
                }
            }
        }
    }

    fn add_implementations(&mut self) {
        let modules = self.modules;
        for (module, source) in modules {
            let items = source.syntax.items.iter().filter(|item| is_shown(item));
            for item in items {
                if let Item::Impl(item) = item {
                    for path in self.paths_of(module, item) {
                        self.add_implementation(item, &path);
                    }
                }
            }
        }
    }

    /// The public paths of the implemented type: the one of this name in the module, or else in the crate.
    fn paths_of(&self, module: &[String], item: &ItemImpl) -> Vec<String> {
        let Type::Path(path) = &*item.self_ty else {
            return Vec::new();
        };
        let Some(name) = path.path.segments.last().map(|last| last.ident.to_string()) else {
            return Vec::new();
        };
        let here = (module.to_vec(), name.clone());
        let found = self.types.get(&here).or_else(|| {
            let mut others = self.types.iter().filter(|((_, known), _)| *known == name);
            others.next().map(|(_, paths)| paths)
        });
        found.into_iter().flatten().cloned().collect()
    }

    fn add_implementation(&mut self, item: &ItemImpl, path: &str) {
        if let Some(line) = render::implementation(item, path) {
            self.lines.insert(line);
            return;
        }
        for member in &item.items {
            self.add_member(member, path);
        }
    }

    fn add_member(&mut self, member: &ImplItem, path: &str) {
        match member {
            ImplItem::Fn(function)
                if is_public(&function.vis) && !render::is_hidden(&function.attrs) =>
            {
                let path = format!("{path}::{}", function.sig.ident);
                let line = format!("pub {}", render::signature(&function.sig, &path));
                self.lines.insert(line);
            }
            ImplItem::Const(constant) if is_public(&constant.vis) => {
                self.lines
                    .insert(format!("pub const {path}::{}", constant.ident));
            }
            ImplItem::Macro(call) => {
                let segments = call.mac.path.segments.iter();
                let name = segments.last().map(|last| last.ident.to_string());
                let name = name.unwrap_or_default();
                match self.macros.get(&name).cloned() {
                    Some(Functions::Members(members)) => {
                        for member in &members {
                            self.add_member(member, path);
                        }
                    }
                    Some(Functions::Names(names)) => {
                        for function in names {
                            self.lines
                                .insert(format!("pub fn {path}::{function}(..), by {name}!"));
                        }
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }
}

/// The functions that a macro defines.
#[derive(Clone)]
enum Functions {
    /// The members of an implementation that a macro without parameters expands to.
    Members(Vec<ImplItem>),
    /// The names that occur in another macro.
    Names(Vec<String>),
}

/// The functions that local macros define, by macro name.
fn macros(modules: &Modules) -> BTreeMap<String, Functions> {
    let items = modules.values().flat_map(|source| &source.syntax.items);
    let macros = items.filter_map(|item| match item {
        Item::Macro(item) => Some((item.ident.as_ref()?.to_string(), functions(item))),
        _ => None,
    });
    macros.collect()
}

fn functions(item: &ItemMacro) -> Functions {
    let members = members.parse2(item.mac.tokens.clone());
    members.map_or_else(|_| Functions::Names(names(item)), Functions::Members)
}

/// Reads a macro whose only rule is `() => { members }`.
fn members(input: ParseStream<'_>) -> syn::Result<Vec<ImplItem>> {
    let (parameters, body);
    syn::parenthesized!(parameters in input);
    if !parameters.is_empty() {
        return Err(parameters.error("a parameter"));
    }
    input.parse::<Token![=>]>()?;
    syn::braced!(body in input);
    input.parse::<Option<Token![;]>>()?;
    let mut members = Vec::new();
    while !body.is_empty() {
        members.push(body.parse()?);
    }
    Ok(members)
}

fn names(item: &ItemMacro) -> Vec<String> {
    let text = item.mac.tokens.to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    let functions = words
        .windows(3)
        .filter(|three| three[0] == "pub" && three[1] == "fn")
        .map(|three| {
            three[2]
                .split(['(', '<'])
                .next()
                .unwrap_or_default()
                .to_owned()
        });
    functions.collect()
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_shown(item: &Item) -> bool {
    let attributes = attributes(item);
    !render::is_hidden(attributes) && !attributes.iter().any(is_for_tests)
}

fn public_name(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Static(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    (is_public(visibility) && is_shown(item)).then(|| name.to_string())
}

/// The path inside the crate; `None` for another crate.
fn absolute(path: &[String], module: &[String]) -> Option<ModulePath> {
    let (first, rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module.split_last()?.1.to_vec(),
        _ => return None,
    };
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The path of `name` in a `use` tree.
fn leads_to(tree: &UseTree, prefix: &mut Vec<String>, name: &str) -> Option<Vec<String>> {
    match tree {
        UseTree::Path(inner) => {
            prefix.push(inner.ident.to_string());
            let found = leads_to(&inner.tree, prefix, name);
            prefix.pop();
            found
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .find_map(|tree| leads_to(tree, prefix, name)),
        UseTree::Name(found) if found.ident == name => Some(extended(prefix, name)),
        UseTree::Rename(found) if found.rename == name => {
            Some(extended(prefix, &found.ident.to_string()))
        }
        UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => None,
    }
}
