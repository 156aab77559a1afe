/// Packages of languages, runtimes and well-known frameworks. Their frames are not the application's own.
const KNOWN: [&str; 43] = [
    "std::",
    "core::",
    "alloc::",
    "tokio::",
    "hyper::",
    "axum::",
    "tower::",
    "tonic::",
    "futures",
    "tracing",
    "sqlx",
    "reqwest::",
    "backtrace::",
    "rust_",
    "__rust",
    "<core::",
    "<alloc::",
    "<std::",
    "<tokio::",
    "<tower",
    "<futures",
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "kotlin.",
    "scala.",
    "okhttp3.",
    "org.springframework.",
    "org.apache.",
    "io.netty.",
    "reactor.",
    "System.",
    "Microsoft.",
    "node:",
    "Module.",
    "process.",
    "flask.",
    "django.",
    "werkzeug.",
    "requests.",
    "urllib3.",
    "sqlalchemy.",
];

/// Folders that contain third-party code.
const FOLDERS: [&str; 6] = [
    "site-packages",
    "node_modules",
    "/.cargo/registry/",
    "/rustc/",
    "dist-packages",
    "/lib/python",
];

/// Whether a frame belongs to the application: neither in a known package nor in a folder of packages.
pub(crate) fn is_own_frame(method: &str, file: Option<&str>) -> bool {
    let is_known = KNOWN.iter().any(|known| method.starts_with(known));
    let is_elsewhere = file.is_some_and(|file| {
        file.starts_with("node:")
            || file.starts_with('<')
            || FOLDERS.iter().any(|folder| file.contains(folder))
    });
    !method.is_empty() && !is_known && !is_elsewhere
}
