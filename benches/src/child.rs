//! The child process that measures: it prints one line for each figure.

use crate::options::{Options, Part};
use crate::rivals::RIVALS;
use crate::workloads::Workload;

/// Measures a part of a run. In each workload the rivals take turns, and a different one is first in each
/// run.
pub(crate) fn measure(options: &Options, part: Part) {
    let mut catalogues: Vec<_> = RIVALS
        .iter()
        .filter(|(rival, _)| options.wants_rival(rival))
        .map(|&(rival, catalogue)| (rival, catalogue()))
        .collect();
    let begin = part.run % catalogues.len();
    catalogues.rotate_left(begin);
    for place in places(&catalogues[0].1, options, part) {
        for (rival, catalogue) in &catalogues {
            print(rival, &catalogue[place], options);
        }
    }
}

/// Returns the indexes of the workloads that belong to the part.
fn places(catalogue: &[Workload], options: &Options, part: Part) -> Vec<usize> {
    let is_of_part = |(place, workload): &(usize, &Workload)| match part.alone {
        Some(alone) => *place == alone,
        None => !workload.is_alone && options.wants(workload),
    };
    let chosen = catalogue.iter().enumerate().filter(is_of_part);
    chosen.map(|(place, _)| place).collect()
}

fn print(rival: &str, workload: &Workload, options: &Options) {
    let load = workload.load;
    let load = if options.is_quick { load.quick() } else { load };
    let figures = (workload.measure)(load);
    for (row, figure) in workload.rows.iter().zip(figures) {
        println!("{}\t{rival}\t{figure}", row.name);
    }
}
