/// Whether two texts are equal. Faster than comparing them where they mostly are the very same.
pub(crate) fn same_text(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}
