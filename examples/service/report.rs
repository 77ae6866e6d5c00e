//! Who holds the memory of the service.

/// Prints what the process holds by family and size class.
pub(crate) fn print() {
    println!("Who holds the memory:\n");
    mm::print_memory_usage(None);
    // The report by type and call site comes here, once sampling is merged.
}
