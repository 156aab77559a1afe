use std::fs;
use std::path::Path;

use super::results::Report;
use crate::Result;

const BEGIN: &str = "<!-- benches: written by cargo xtask bench -->\n";
const END: &str = "<!-- benches: end -->";

/// Writes `RESULTS.md`, and the short table of services into the README of the repository. A report that is not
/// `complete` replaces only the parts that can be written alone.
///
/// # Errors
///
/// If the README has no place for the table, or a file cannot be written.
#[expect(clippy::print_stderr, reason = "a program says what it has written")]
pub fn write(report: &Report<'_>, complete: bool) -> Result {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Some(table) = report.headlines() {
        let readme = here.with_file_name("README.md");
        let text = fs::read_to_string(&readme)?;
        let text = between_markers(&text, &table)
            .ok_or("the README has no markers between which the table is written")?;
        fs::write(&readme, text)?;
        eprintln!("wrote {}", readme.display());
    }
    let results = here.join("RESULTS.md");
    let new = if complete {
        report.to_string()
    } else {
        let known = fs::read_to_string(&results)?;
        let mut parts = report.parts();
        parts.try_fold(known, |text, (headline, part)| {
            with_part(&text, &headline, &part).ok_or("RESULTS.md has no parts")
        })?
    };
    fs::write(&results, new)?;
    eprintln!("wrote {}", results.display());
    Ok(())
}

fn between_markers(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

/// Replaces the part below a headline, or inserts it before all others.
fn with_part(text: &str, headline: &str, part: &str) -> Option<String> {
    let next = |text: &str| text.find("\n## ").map(|place| place + 1);
    let (start, end) = match text.find(headline) {
        Some(start) => {
            let after = start + headline.len() - 1;
            let end = text.get(after..).and_then(next);
            (start, end.map_or(text.len(), |end| after + end))
        }
        None => next(text).map(|start| (start, start))?,
    };
    Some([text.get(..start)?, part, text.get(end..)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_markers_is_replaced() {
        let text = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let new = between_markers(&text, "| new |\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\n| new |\n\n{END}\nafter\n"));
        assert_eq!(between_markers(&new, "| new |\n").unwrap(), new);
    }

    #[test]
    fn a_part_is_replaced_or_comes_first() {
        let text = "# All\n\n## Targets\n\nold\n\n## Last\n\nlast\n";
        let part = "## Service: x\n\nnew\n\n";
        let first = with_part(text, "## Service: x\n", part).unwrap();
        assert_eq!(
            first,
            "# All\n\n## Service: x\n\nnew\n\n## Targets\n\nold\n\n## Last\n\nlast\n"
        );
        let again = with_part(&first, "## Service: x\n", part).unwrap();
        assert_eq!(again, first);
        let last = with_part(&first, "## Last\n", "## Last\n\nnewer\n").unwrap();
        assert!(last.ends_with("old\n\n## Last\n\nnewer\n"));
        assert_eq!(with_part("text", "## X\n", part), None);
    }

    #[test]
    fn a_text_without_markers_has_no_place_for_it() {
        assert_eq!(between_markers("text", "| new |\n"), None);
    }
}
