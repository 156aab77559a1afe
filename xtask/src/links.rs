//! Relative links of the Markdown files: each names an existing file, and an existing heading of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::workspace;
use crate::error::Result;

/// Folders of built or installed files.
const SKIPPED: &[&str] = &["dist", "node_modules", "target"];

/// Fails if a link leads nowhere. Links to other sites and to items of a crate are not checked: `cargo doc` checks the
/// latter.
pub(crate) fn check() -> Result {
    let mut files = Vec::new();
    collect(&workspace(), &mut files)?;
    let mut broken = Vec::new();
    let mut count = 0;
    for file in &files {
        let text = fs::read_to_string(file)?;
        for target in targets(&text) {
            count += 1;
            if !exists(file, &target) {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    if broken.is_empty() {
        println!("{count} links in {} files", files.len());
        return Ok(());
    }
    Err(format!("links lead nowhere:\n  {}", broken.join("\n  ")).into())
}

/// The Markdown files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_skipped = name.starts_with('.') || SKIPPED.contains(&&*name);
        if path.is_dir() {
            if !is_skipped {
                collect(&path, files)?;
            }
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
    Ok(())
}

/// The relative targets of the links in a text.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(text) {
        let mut code = false;
        let words: String = line
            .chars()
            .filter(|character| {
                code ^= *character == '`';
                !code
            })
            .collect();
        let links = words.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split(')').next());
        let links = links.filter(|link| !link.contains(':'));
        targets.extend(links.map(str::to_owned));
    }
    targets
}

/// The lines outside of blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        code ^= is_fence;
        !code && !is_fence
    })
}

fn exists(file: &Path, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        file.to_owned()
    } else {
        file.with_file_name(path)
    };
    if anchor.is_empty() {
        return path.exists();
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    prose(&text)
        .filter(|line| line.starts_with('#'))
        .any(|heading| self::anchor(heading) == anchor)
}

/// The anchor of a heading, by the rules of the usual hosts.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ if character.is_alphanumeric() => Some(character),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_outside_of_code_are_checked() {
        let text =
            "[a](a.md) `[b](b.md)` [`c`](c.md#d)\n```\n[e](e.md)\n```\n[f](https://f) [g](G::h)";
        assert_eq!(targets(text), ["a.md", "c.md#d"]);
    }

    #[test]
    fn a_link_to_a_missing_file_or_heading_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.md");
        fs::write(&file, "# A `b`, c\n```\n# Not a heading\n```\n").unwrap();
        assert!(exists(&file, "a.md"));
        assert!(exists(&file, "#a-b-c"));
        assert!(!exists(&file, "b.md"));
        assert!(!exists(&file, "#not-a-heading"));
    }
}
