//! What a program costs that does nothing.

use crate::memory::peak;

/// The name, which selects this instead of a row.
pub const START: &str = "start";

/// What is measured: the name of each figure, and what it is. The program that starts it measures the time.
pub const START_FIGURES: [(&str, &str); 2] = [
    ("start, ms", "from the start of a program to its end, in ms"),
    ("start, MB", "largest resident size of that program, in MB"),
];

/// Prints the figure that the program knows itself.
pub(crate) fn measure() {
    println!("{}\t{}", START_FIGURES[1].0, peak());
}
