//! Shared code of mm's benches: clock, medians, random numbers, and columns.

pub mod clock;
pub mod columns;
pub mod figures;
pub mod machine;
pub mod random;
