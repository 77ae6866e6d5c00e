use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Take { pick: usize, units: usize },
    Free { pick: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let take = (any::<usize>(), 1..200_usize).prop_map(|(pick, units)| Step::Take { pick, units });
    let free = any::<usize>().prop_map(|pick| Step::Free { pick });
    proptest::collection::vec(prop_oneof![take, free], 0..80)
}

/// The slow way: one entry for each unit, with the number of its block.
fn free_runs_of(owners: &[Option<usize>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (index, _) in owners
        .iter()
        .enumerate()
        .filter(|(_, owner)| owner.is_none())
    {
        match runs.last_mut() {
            Some(run) if run.first + run.units == index => run.units += 1,
            _ => runs.push(Run {
                first: index,
                units: 1,
            }),
        }
    }
    runs
}

proptest! {
    #[test]
    fn runs_match_the_slow_way(capacity in 1..500_usize, steps in steps()) {
        let words = capacity.div_ceil(64);
        let all: Vec<Word> = (0..words).map(|_| bytemuck::Zeroable::zeroed()).collect();
        let continues: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
        let map = SlotMap { words: &all, continues: &continues, capacity, view: View::Unowned };
        let mut owners: Vec<Option<usize>> = vec![None; capacity];
        let mut blocks: Vec<Run> = Vec::new();
        for step in steps {
            match step {
                Step::Take { pick, units } => {
                    let fitting: Vec<Run> = map.free_runs().filter(|run| run.units >= units).collect();
                    if fitting.is_empty() { continue; }
                    let run = Run { first: fitting[pick % fitting.len()].first, units };
                    map.take_run(run);
                    owners[run.first..run.first + units].fill(Some(run.first));
                    blocks.push(run);
                }
                Step::Free { pick } => {
                    if blocks.is_empty() { continue; }
                    let run = blocks.swap_remove(pick % blocks.len());
                    map.free_run(run);
                    owners[run.first..run.first + run.units].fill(None);
                }
            }
            prop_assert_eq!(map.free_runs().collect::<Vec<_>>(), free_runs_of(&owners));
            prop_assert_eq!(map.blocks(), blocks.len());
            for units in [1, 2, 3, 17, 63, 64, 65, 130] {
                let runs = free_runs_of(&owners);
                let longest = runs.iter().map(|run| run.units).max().unwrap_or(0);
                let first = runs.into_iter().find(|run| run.units >= units);
                match first {
                    Some(run) => prop_assert_eq!(map.find_run(units), Ok(run.first)),
                    None => {
                        let bound = map.find_run(units).expect_err("there is no such run");
                        prop_assert!((longest..units).contains(&bound));
                    }
                }
            }
            for run in free_runs_of(&owners) {
                prop_assert_eq!(map.free_run_around(run.first + run.units / 2), run);
            }
            let free = (0..capacity).filter(|unit| owners[*unit].is_none());
            let nth_free = (0..).map_while(|nth| map.nth_free(nth));
            prop_assert!(nth_free.eq(free));
            let behind = map.free_runs_from(capacity / 2).next();
            let is_free = |unit: &usize| owners[*unit].is_none();
            prop_assert_eq!(behind.map(|run| run.first), (capacity / 2..capacity).find(is_free));
            prop_assert_eq!(map.taken_units(), owners.iter().flatten().count());
            for block in &blocks {
                prop_assert_eq!(map.block_units(block.first), block.units);
                prop_assert!(map.is_taken(block.first) && !map.continues(block.first));
            }
        }
    }

    #[test]
    fn words_hand_out_only_units(capacity in 1..300_usize) {
        let words = capacity.div_ceil(64);
        let all: Vec<Word> = (0..words).map(|_| bytemuck::Zeroable::zeroed()).collect();
        let map = SlotMap { words: &all, continues: &[], capacity, view: View::All };
        for word in 0..words {
            let free = map.free_in(word);
            map.take(word, free);
            prop_assert_eq!(map.free_in(word), 0);
            map.free(word, free & 1);
        }
        prop_assert_eq!(map.taken_units(), capacity - words);
    }
}
