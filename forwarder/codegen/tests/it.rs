//! The checked-in code equals the code that the protocol files generate.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files by name, without the hand-written `mod.rs`.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap();
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    let files = entries.map(file);
    files.filter(|(name, _)| name != "mod.rs").collect()
}

#[test]
fn the_generated_code_is_up_to_date() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    fs::create_dir_all(&folder).unwrap();
    azmon_forwarder_codegen::generate(&folder).unwrap();
    let (made, kept) = (
        files(&folder),
        files(&azmon_forwarder_codegen::forwarder().join("src/proto")),
    );
    assert!(!made.is_empty());
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&kept));
    for (name, text) in made {
        assert!(
            kept[&name] == text,
            "{name} differs: run `cargo run -p azmon-forwarder-codegen`"
        );
    }
}
