//! Who holds the memory of the service.

/// Size classes to show, largest first.
const CLASSES: usize = 8;

/// Prints what the process holds: by family, and untyped memory by size class.
pub(crate) fn print() {
    let snapshot = mm::snapshot();
    println!("Who holds the memory:\n");
    print!("{}", snapshot.memory_usage(None));
    println!("\n\nThe largest size classes:\n");
    let classes = snapshot.memory_usage(Some("(untyped)")).to_string();
    classes
        .lines()
        .take(1 + CLASSES)
        .for_each(|line| println!("{line}"));
    println!("\nBy type, and by the call in the service that led to the allocation:\n");
    mm::print_heap_profile();
}
