//! Runs for the requested number of operations or seconds, and fails at the first difference.
//!
//! ```sh
//! cargo run --release -p mm-stress -- --operations 1000000000 --threads 4
//! ```

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lexopt::prelude::{Long, ValueExt};
use mm_stress::{Options, Progress, run};

const USAGE: &str = "\
Usage: cargo run --release -p mm-stress -- [OPTIONS]
  --operations N  allocations and releases of all threads together (100,000,000; without end if
                  there is --seconds)
  --threads N     threads that work at a time (4)
  --seed N        of the random numbers (1)
  --seconds N     time after which to end
  --switch        meanwhile families are tracked and limited, and left alone again";

/// Between two lines of progress.
const EVERY: Duration = Duration::from_secs(5);

fn main() -> Result<ExitCode, lexopt::Error> {
    let Some(options) = parse(lexopt::Parser::from_env())? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    println!("{} threads, seed {}", options.threads, options.seed);
    let start = Instant::now();
    let mut printed = Duration::ZERO;
    let outcome = run(options, |progress| {
        let now = start.elapsed();
        if now.saturating_sub(printed) >= EVERY {
            printed = now;
            print(progress, now);
        }
    });
    match outcome {
        Ok(summary) => {
            let rate = per_second(summary.operations(), start.elapsed());
            println!("{summary}, {rate} a second");
            Ok(ExitCode::SUCCESS)
        }
        Err(difference) => {
            eprintln!("seed {}: {difference}", options.seed);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Reads the command line; `None` asks for help.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut operations, mut seconds, mut threads, mut seed) = (None, None, 4, 1);
    let mut switch = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("operations") => operations = Some(parser.value()?.parse()?),
            Long("threads") => threads = parser.value()?.parse::<u16>()?.max(1),
            Long("seed") => seed = parser.value()?.parse()?,
            Long("seconds") => seconds = Some(parser.value()?.parse()?),
            Long("switch") => switch = true,
            Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let unless_told = if seconds.is_some() {
        u64::MAX
    } else {
        100_000_000
    };
    Ok(Some(Options {
        operations: operations.unwrap_or(unless_told),
        threads: threads.into(),
        seed,
        most_time: seconds.map_or(Duration::MAX, Duration::from_secs),
        round: 200_000,
        switch,
    }))
}

fn print(progress: Progress, now: Duration) {
    println!(
        "{:>4} s: {} operations, {} a second; {} quiescent points, {} snapshots, {} threads, {} KiB live",
        now.as_secs(),
        progress.operations,
        per_second(progress.operations, now),
        progress.rounds,
        progress.snapshots,
        progress.workers,
        progress.live_bytes >> 10,
    );
}

fn per_second(operations: u64, time: Duration) -> u128 {
    u128::from(operations) * 1_000_000 / time.as_micros().max(1)
}
