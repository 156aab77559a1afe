//! The file system, behind a trait, so that tests can make any call fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// The operations of a file system that storage needs. All calls block.
pub(crate) trait FileSystem: fmt::Debug + Send + Sync + 'static {
    /// Makes a directory that only its user can enter, with its parents, unless it exists.
    ///
    /// # Errors
    ///
    /// Also fails if the directory belongs to another user, or others may write to it.
    fn private_directory(&self, path: &Path) -> io::Result<()>;
    /// Locks a file until the lock is dropped or the process ends. A missing file is created. `None` if another process
    /// holds the lock.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
    /// Writes a new file that only its user can read.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Waits until a file's content is on the disk.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Waits until a directory's entries are on the disk.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Renames a file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Reads a file of at most `max` bytes.
    fn read(&self, path: &Path, max: u64) -> io::Result<Vec<u8>>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
    /// Lists a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;
}

/// A file or directory in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) is_directory: bool,
}

/// Holds a file's lock.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

#[cfg(test)]
impl Lock {
    pub(super) fn of(file: File) -> Self {
        Self { _file: file }
    }
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OsFileSystem;

impl FileSystem for OsFileSystem {
    fn private_directory(&self, path: &Path) -> io::Result<()> {
        system::make_directory(path)?;
        // Symbolic links are not followed: they could lead to a place that another user prepared.
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_dir() {
            return Err(io::Error::other("not a directory"));
        }
        system::check_private(path, &metadata)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = system::lock(path)?;
        Ok(file.map(|file| Lock { _file: file }))
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        system::private_file(options.write(true).create_new(true));
        options.open(path)?.write_all(content)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        system::sync_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn read(&self, path: &Path, max: u64) -> io::Result<Vec<u8>> {
        // A symbolic link could lead anywhere, and a pipe might never end.
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::other("not a file"));
        }
        let mut content = Vec::new();
        File::open(path)?.take(max + 1).read_to_end(&mut content)?;
        if content.len() as u64 > max {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too large"));
        }
        Ok(content)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // A name that is not Unicode does not belong to azmon, and cannot be set aside. It is left alone.
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata())
            else {
                continue;
            };
            entries.push(Entry {
                name,
                bytes: metadata.len(),
                is_directory: metadata.is_dir(),
            });
        }
        Ok(entries)
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    use rustix::fs::{FlockOperation, flock};

    pub(super) fn make_directory(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// Removes the permissions of others from a directory of this user, for example from one that the user created.
    pub(super) fn check_private(path: &Path, metadata: &Metadata) -> io::Result<()> {
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the directory belongs to another user",
            ));
        }
        if metadata.mode() & 0o077 != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    pub(super) fn private_file(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn lock(path: &Path) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // A process that cleans up may have removed the file meanwhile, which makes the lock useless.
            Ok(()) => Ok(Some(file).filter(|file| is_at(file, path))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_at(file: &File, path: &Path) -> bool {
        let place = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let (own, there) = (file.metadata(), std::fs::metadata(path));
        own.and_then(|own| Ok(place(own) == place(there?)))
            .unwrap_or(false)
    }

    pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(super) fn make_directory(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).create(path)
    }

    /// On this system, the application data of a user are private by default.
    pub(super) fn check_private(_path: &Path, _metadata: &Metadata) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn private_file(_options: &mut OpenOptions) {}

    #[cfg(windows)]
    pub(super) fn lock(path: &Path) -> io::Result<Option<File>> {
        use std::os::windows::fs::OpenOptionsExt;

        // The error code for a file that another process has opened exclusively.
        const SHARING_VIOLATION: i32 = 32;
        let mut options = OpenOptions::new();
        let opened = options
            .write(true)
            .create(true)
            .truncate(false)
            .share_mode(0)
            .open(path);
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[cfg(not(windows))]
    pub(super) fn lock(_path: &Path) -> io::Result<Option<File>> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Directories cannot be synced, and need not be.
    pub(super) fn sync_directory(_path: &Path) -> io::Result<()> {
        Ok(())
    }
}
