use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Item, ItemImpl, ItemMod, Signature, Visibility};

/// An item on one line, without documentation, bodies and private fields, and with its path instead of its name.
pub(super) fn item(item: &Item, path: &str) -> String {
    let mut item = item.clone();
    let name = match &mut item {
        Item::Const(item) => {
            item.attrs.clear();
            *item.expr = syn::parse_quote!(_);
            item.ident.to_string()
        }
        Item::Enum(item) => {
            keep_marks(&mut item.attrs);
            for variant in &mut item.variants {
                variant.attrs.clear();
                for field in &mut variant.fields {
                    field.attrs.clear();
                }
            }
            item.ident.to_string()
        }
        Item::Fn(item) => return format!("pub {}", signature(&item.sig, path)),
        Item::Static(item) => {
            item.attrs.clear();
            *item.expr = syn::parse_quote!(_);
            item.ident.to_string()
        }
        Item::Struct(item) => {
            keep_marks(&mut item.attrs);
            let has_private = keep_public(&mut item.fields);
            let text = one_line(&Item::Struct(item.clone()));
            let text = with_path(&text, &item.ident.to_string(), path);
            return match (has_private, &item.fields) {
                (true, Fields::Named(fields)) if fields.named.is_empty() => {
                    text.replace("{}", "{ .. }")
                }
                (true, Fields::Named(_)) => text.replace(", }", ", .. }"),
                (true, Fields::Unnamed(_)) => text.replace(");", "..);"),
                _ => text,
            };
        }
        Item::Trait(item) => {
            keep_marks(&mut item.attrs);
            for member in &mut item.items {
                match member {
                    syn::TraitItem::Const(item) => item.attrs.clear(),
                    syn::TraitItem::Type(item) => item.attrs.clear(),
                    syn::TraitItem::Fn(function) => {
                        function.attrs.clear();
                        function.default = None;
                        function.semi_token = Some(Default::default());
                    }
                    _ => {}
                }
            }
            item.ident.to_string()
        }
        Item::Type(item) => {
            item.attrs.clear();
            item.ident.to_string()
        }
        _ => return String::new(),
    };
    with_path(&one_line(&item), &name, path)
}

/// A function on one line, with its path instead of its name.
pub(super) fn signature(signature: &Signature, path: &str) -> String {
    let name = signature.ident.to_string();
    let item: Item = syn::parse_quote!(impl X { #signature {} });
    let text = one_line(&item);
    let inside = text.trim_start_matches("impl X {").trim_end_matches('}');
    let text = inside.trim().trim_end_matches("{}").trim().to_owned();
    with_path(&text, &name, path)
}

/// The head of a trait implementation for the type at `path`.
pub(super) fn implementation(item: &ItemImpl, path: &str) -> Option<String> {
    let (_, of, _) = item.trait_.as_ref()?;
    let file: Item = syn::parse_quote!(impl #of for X {});
    Some(one_line(&file).replace("for X {}", &format!("for {path}")))
}

fn with_path(text: &str, name: &str, path: &str) -> String {
    // The name is the first such word after its keyword.
    let mut start = 0;
    while let Some(found) = text[start..].find(name) {
        let at = start + found;
        let end = at + name.len();
        let is_word = |character: Option<char>| {
            character.is_some_and(|character| character.is_alphanumeric() || character == '_')
        };
        if !is_word(text[..at].chars().next_back()) && !is_word(text[end..].chars().next()) {
            return format!("{}{path}{}", &text[..at], &text[end..]);
        }
        start = end;
    }
    text.to_owned()
}

/// Keeps the attributes that matter to callers.
fn keep_marks(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| {
        attribute.path().is_ident("non_exhaustive") || attribute.path().is_ident("must_use")
    });
    for attribute in attributes {
        if attribute.path().is_ident("must_use") {
            *attribute = syn::parse_quote!(#[must_use]);
        }
    }
}

/// Removes private fields. Returns whether any were removed.
fn keep_public(fields: &mut Fields) -> bool {
    let before = fields.len();
    let is_public = |field: &syn::Field| matches!(field.vis, Visibility::Public(_));
    let plain = |mut field: syn::Field| {
        field.attrs.clear();
        field
    };
    match fields {
        Fields::Named(named) => {
            let kept: Punctuated<_, _> = named
                .named
                .clone()
                .into_iter()
                .filter(is_public)
                .map(plain)
                .collect();
            named.named = kept;
        }
        Fields::Unnamed(unnamed) => {
            let kept: Punctuated<_, _> = unnamed
                .unnamed
                .clone()
                .into_iter()
                .filter(is_public)
                .map(plain)
                .collect();
            unnamed.unnamed = kept;
        }
        Fields::Unit => {}
    }
    fields.len() < before
}

fn one_line(item: &Item) -> String {
    let file = syn::File {
        shebang: None,
        attrs: Vec::new(),
        items: vec![item.clone()],
    };
    let text = prettyplease::unparse(&file);
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").replace("( ", "(").replace(", )", ")")
}

/// Whether the documentation omits the item.
pub(super) fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("hidden"))
    })
}

/// The items of an inline module.
pub(super) fn inline(module: &ItemMod) -> Option<&[Item]> {
    module.content.as_ref().map(|(_, items)| items.as_slice())
}
