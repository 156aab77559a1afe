/// The error of a failed task, as it is printed.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

pub(crate) type Result<T = ()> = std::result::Result<T, Error>;
