//! The XML of `LocalForwarder.config`: elements with line numbers, without document types, of limited size.

use roxmltree::{Document, Node, ParsingOptions};

use crate::config::{ConfigError, ConfigWarning};

/// The maximum size of a file, in bytes.
const LARGEST: usize = 1 << 20;

/// A file, and the warnings about it.
#[derive(Debug)]
pub(super) struct XmlFile<'a, 'input> {
    pub(super) name: &'a str,
    document: &'a Document<'input>,
    pub(super) warnings: Vec<ConfigWarning>,
}

/// An element and its path.
#[derive(Debug, Clone)]
pub(super) struct Element<'a, 'input> {
    node: Node<'a, 'input>,
    pub(super) path: String,
}

/// Parses an XML text.
pub(super) fn parse<'input>(
    file: &str,
    text: &'input str,
) -> Result<Document<'input>, ConfigError> {
    if text.len() > LARGEST {
        let problem = format!("the file is larger than {LARGEST} bytes");
        return Err(ConfigError::new(file, None, "", problem));
    }
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| {
        let position = error.pos();
        let line = usize::try_from(position.row).ok();
        let problem = format!(
            "this is not well-formed XML, at column {}: {error}",
            position.col
        );
        ConfigError::new(file, line, "", problem)
    })
}

impl<'a, 'input> XmlFile<'a, 'input> {
    pub(super) fn new(name: &'a str, document: &'a Document<'input>) -> Self {
        Self {
            name,
            document,
            warnings: Vec::new(),
        }
    }

    /// The root element, which must be named `name`.
    pub(super) fn root(&self, name: &str) -> Result<Element<'a, 'input>, ConfigError> {
        let node = self.document.root_element();
        let root = Element {
            node,
            path: node.tag_name().name().to_owned(),
        };
        if root.path != name {
            let problem = format!("the root must be called {name}");
            return Err(self.error(&root, problem));
        }
        Ok(Element {
            path: String::new(),
            ..root
        })
    }

    /// The child element of this name. A second one is an error.
    pub(super) fn child(
        &self,
        parent: &Element<'a, 'input>,
        name: &str,
    ) -> Result<Option<Element<'a, 'input>>, ConfigError> {
        let mut found = parent
            .children()
            .filter(|child| child.tag_name().name() == name);
        let first = found.next().map(|node| parent.of(node));
        match found.next() {
            Some(second) => {
                let problem = "it is there twice; remove one of them".to_owned();
                Err(self.error(&parent.of(second), problem))
            }
            None => Ok(first),
        }
    }

    /// Warns about unknown child elements.
    pub(super) fn warn_of_others(&mut self, parent: &Element<'a, 'input>, known: &[&str]) {
        for child in parent.children() {
            if !known.contains(&child.tag_name().name()) {
                let child = parent.of(child);
                let problem = "this element is not known, and has no effect".to_owned();
                let warning = ConfigWarning(self.error(&child, problem));
                self.warnings.push(warning);
            }
        }
    }

    /// An error about an element.
    pub(super) fn error(&self, at: &Element<'_, '_>, problem: String) -> ConfigError {
        ConfigError::new(self.name, Some(self.line(at)), at.path.clone(), problem)
    }

    /// An error about a missing element.
    pub(super) fn missing(
        &self,
        parent: &Element<'_, '_>,
        name: &str,
        problem: String,
    ) -> ConfigError {
        let path = if parent.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", parent.path)
        };
        ConfigError::new(self.name, Some(self.line(parent)), path, problem)
    }

    fn line(&self, at: &Element<'_, '_>) -> usize {
        let position = self.document.text_pos_at(at.node.range().start);
        usize::try_from(position.row).unwrap_or(usize::MAX)
    }
}

impl<'a, 'input> Element<'a, 'input> {
    fn children(&self) -> impl Iterator<Item = Node<'a, 'input>> + use<'a, 'input> {
        self.node.children().filter(Node::is_element)
    }

    fn of(&self, child: Node<'a, 'input>) -> Self {
        let name = child.tag_name().name();
        Self {
            node: child,
            path: if self.path.is_empty() {
                name.to_owned()
            } else {
                format!("{}/{name}", self.path)
            },
        }
    }

    /// The text of the element, trimmed.
    pub(super) fn text(&self) -> String {
        let texts = self.node.descendants().filter(Node::is_text);
        let text: String = texts.filter_map(|node| node.text()).collect();
        text.trim().to_owned()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.node
            .attribute(name)
            .map(|value| value.trim().to_owned())
    }
}
