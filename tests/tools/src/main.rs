//! One program for each name: most have a fault, which a tool must report.
//!
//! `run`, beside this, starts them under valgrind and the sanitizers.

#[cfg(feature = "asan")]
mod granules;
mod leaks;
mod misuse;
mod proper;
mod races;

use std::process::ExitCode;

/// A program, by its name on the command line.
type Program = (&'static str, fn());

const PROGRAMS: &[Program] = &[
    ("proper", proper::all),
    ("read-after-release", misuse::read_after_release),
    ("write-after-release", misuse::write_after_release),
    ("row-after-release", misuse::row_after_release),
    ("large-after-release", misuse::large_after_release),
    ("run-time-after-release", misuse::run_time_after_release),
    ("past-the-end", misuse::past_the_end),
    ("read-after-reuse", misuse::read_after_reuse),
    ("unspecified", misuse::unspecified),
    ("reached-by-live", leaks::reached_by_live),
    ("reached-by-released", leaks::reached_by_released),
    ("forgotten", leaks::forgotten),
    #[cfg(feature = "asan")]
    ("granules", granules::all),
    ("race", races::race),
];

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let program = PROGRAMS.iter().find(|program| program.0 == name);
    let Some((_, run)) = program else {
        PROGRAMS.iter().for_each(|(name, _)| eprintln!("{name}"));
        return ExitCode::from(2);
    };
    run();
    ExitCode::SUCCESS
}
