use std::fs;
use std::path::Path;

use super::results::Report;
use crate::Result;

const BEGIN: &str = "<!-- benches: written by cargo xtask bench -->\n";
const END: &str = "<!-- benches: end -->";

/// Writes `RESULTS.md`, and the short table into the README of the repository.
///
/// # Errors
///
/// If the README has no place for the table, or a file cannot be written.
#[expect(clippy::print_stderr, reason = "a program says what it has written")]
pub fn write(report: &Report<'_>) -> Result {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = here.with_file_name("README.md");
    let text = fs::read_to_string(&readme)?;
    let text = between_markers(&text, &report.headlines())
        .ok_or("the README has no markers between which the table is written")?;
    let results = here.join("RESULTS.md");
    fs::write(&results, report.to_string())?;
    fs::write(&readme, text)?;
    eprintln!("wrote {} and {}", results.display(), readme.display());
    Ok(())
}

fn between_markers(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let text = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let new = between_markers(&text, "| new |\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\n| new |\n\n{END}\nafter\n"));
        assert_eq!(between_markers(&new, "| new |\n").unwrap(), new);
    }

    #[test]
    fn a_text_without_markers_has_no_place_for_it() {
        assert_eq!(between_markers("text", "| new |\n"), None);
    }
}
