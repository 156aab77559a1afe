//! The location of a process's storage.

use std::path::{Path, PathBuf};

/// The user's cache directory, if the environment names one by an absolute path.
pub(crate) fn user_cache(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let path = |variable| environment(variable).map(PathBuf::from);
    let below = |variable, rest: &str| path(variable).map(|home| home.join(rest));
    let cache = if cfg!(windows) {
        path("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        below("HOME", "Library/Caches")
    } else {
        path("XDG_CACHE_HOME").or_else(|| below("HOME", ".cache"))
    };
    // A service of systemd has no home directory, but may have a cache directory; colons separate several.
    let service = || {
        let listed = environment("CACHE_DIRECTORY")?;
        listed.split(':').next().map(PathBuf::from)
    };
    cache
        .filter(|path| path.is_absolute())
        .or_else(service)
        .filter(|path| path.is_absolute())
        .map(|path| path.join("azmon"))
}

/// The directory name for one user, program and instrumentation key.
pub(crate) fn directory_name(
    program: Option<&Path>,
    user: &str,
    instrumentation_key: &str,
) -> String {
    let stem = program.and_then(Path::file_stem);
    let stem = stem.map_or_else(|| "program".into(), |stem| stem.to_string_lossy());
    let plain = |character: char| {
        let is_plain = character.is_ascii_alphanumeric() || "_-".contains(character);
        if is_plain { character } else { '_' }
    };
    let name: String = stem.chars().take(64).map(plain).collect();
    format!("{name}-{:016x}", hash(&[user, instrumentation_key]))
}

/// FNV-1a: stable across versions of the program, unlike the hashes of the standard library.
fn hash(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_cache_directory_is_the_users_or_the_services() {
        let cache = |variables: &[(&str, &str)]| {
            user_cache(&|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let home = ("HOME", "/home/ada");
        for (variables, expected) in [
            (&[][..], None),
            (&[home], Some("/home/ada/.cache/azmon")),
            (&[("XDG_CACHE_HOME", "/x"), home], Some("/x/azmon")),
            (&[("XDG_CACHE_HOME", "relative")], None),
            (
                &[("CACHE_DIRECTORY", "/var/cache/a:/var/cache/b")],
                Some("/var/cache/a/azmon"),
            ),
        ] {
            assert_eq!(
                cache(variables),
                expected.map(PathBuf::from),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn users_programs_and_keys_have_their_own_directories() {
        let shop = Path::new("/opt/shop server.exe");
        let name = directory_name(Some(shop), "1000", "key");
        assert!(name.starts_with("shop_server-"), "{name}");
        let others = [
            directory_name(Some(shop), "1001", "key"),
            directory_name(Some(shop), "1000", "other"),
            directory_name(Some(shop), "1000k", "ey"),
            directory_name(Some(Path::new("/opt/stock")), "1000", "key"),
        ];
        assert!(others.iter().all(|other| *other != name), "{others:?}");
    }
}
