//! Embeds the built pages (`web/dist/pages`), compressed. Without built pages the program serves only its API.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fmt::Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The output folder of the pages, relative to the package. Its parent always exists, so that cargo can watch it.
const PAGES: &str = "web/dist/pages";
const WATCHED: &str = "web/dist";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={WATCHED}");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(PAGES);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    if root.join("index.html").is_file() {
        collect(&root, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let packed = out.join(format!("page-{number}.gz"));
        let content = fs::read(file)?;
        let mut encoder = GzEncoder::new(fs::File::create(&packed)?, Compression::best());
        encoder.write_all(&content)?;
        encoder.finish()?;
        let path = file
            .strip_prefix(&root)?
            .to_string_lossy()
            .replace('\\', "/");
        let tag = hash(&content);
        writeln!(
            table,
            "    File {{ path: {:?}, tag: \"\\\"{tag:016x}\\\"\", packed: include_bytes!({packed:?}) }},",
            format!("/{path}"),
        )?;
    }
    table.push(']');
    fs::write(out.join("pages.rs"), table)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// FNV-1a: distinguishes one build of a file from another.
fn hash(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
