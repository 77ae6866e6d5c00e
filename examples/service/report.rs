//! Who holds the memory of the service.

/// Size classes to show, largest first.
const CLASSES: usize = 8;

/// Prints what the process holds: by family, by size class, by type and by call site; and names who holds most.
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
    let profile = mm::heap_profile();
    let (types, sites) = (profile.by_type(), profile.by_site());
    println!("\nBy type:\n\n{types}\n\nBy call site:\n\n{sites}");
    if let (Some(of_type), Some(of_site)) = (types.groups.first(), sites.groups.first()) {
        let bytes = of_site.usage.live_bytes.value();
        let percent = 100.0 * bytes / of_site.usage.allocated_bytes;
        println!(
            "\nMost is `{}`. Most was allocated at {}: {:.1} MiB are live, {percent:.0} % of all that it allocated.",
            of_type.name,
            of_site.name,
            bytes / f64::from(1 << 20)
        );
    }
}
