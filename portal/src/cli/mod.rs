//! The command line: arguments, what is printed, and the signals that end the program.

mod arguments;
mod forward;
mod portal;
mod signal;

pub(crate) use self::arguments::Arguments;
pub(crate) use self::portal::run;
