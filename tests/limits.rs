//! Behaviour when the system gives little memory, or does not do what it reports: under limits and
//! filters, each in a separate process.

use std::mem;

use mm::{AllocError, MmBox, MmManaged, PageFamily};
use mm_tests::{OwnedBlock, again, keep_room_for_checks, limited, release_all, under};
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(mm_portable)))]
use mm_tests::{is_child, pretend};

fn family(name: &str, size: usize) -> &'static PageFamily {
    mm_tests::family(name, size, 8)
}

/// Allocates blocks of `units` until none is left.
fn exhaust(family: &'static PageFamily, units: usize) -> Vec<OwnedBlock> {
    let mut live = Vec::with_capacity(1 << 20);
    loop {
        match OwnedBlock::try_zeroed(family, units) {
            Ok(block) => live.push(block),
            Err(AllocError::OutOfMemory { .. }) => return live,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Runs out of memory, and checks that everything else goes on and comes back.
fn run_out(units: usize) {
    let (large, other) = (family("limits:large", 4_096), family("limits:other", 64));
    let before = OwnedBlock::new(other, 1);
    keep_room_for_checks();
    let live = exhaust(large, units);
    assert!(live.len() > 10, "only {} blocks", live.len());
    large.check().expect("the walker finds the same");
    let snapshot = mm::snapshot();
    let figures = snapshot.family("limits:large").expect("listed");
    assert_eq!(figures.live_units, (live.len() * units) as u64);
    println!("{}", snapshot.memory_usage(None));
    before.release();
    // From the cache or the page.
    OwnedBlock::new(other, 1).release();
    let served = live.len();
    release_all(live);
    mm::trim();
    assert!(
        exhaust(large, units).len() >= served,
        "all can be had again"
    );
}

#[test]
fn out_of_address_space() {
    if under("ulimit -v 600000", "out_of_address_space") {
        run_out(1);
    }
}

#[test]
fn out_of_address_space_with_large_blocks() {
    if under("ulimit -v 600000", "out_of_address_space_with_large_blocks") {
        run_out(1_000);
    }
}

#[test]
fn out_of_data_segment() {
    if under("ulimit -d 200000", "out_of_data_segment") {
        run_out(1);
    }
}

macro_rules! derived_families {
    ($($number:literal)*) => {
        /// 200 types, each with a family of its own.
        #[derive(mm::MmManaged)]
        #[mm(instances($(Numbered<$number>),*))]
        struct Numbered<const NUMBER: usize>(usize);

        /// Makes a value of each of them, and checks what it reads.
        fn leak_one_of_each() -> usize {
            [$(mm::MmBox::leak(mm::MmBox::new(Numbered::<$number>($number))).0),*].iter().sum()
        }
    };
}

derived_families! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
    20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
    40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59
    60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79
    80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99
    100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119
    120 121 122 123 124 125 126 127 128 129 130 131 132 133 134 135 136 137 138 139
    140 141 142 143 144 145 146 147 148 149 150 151 152 153 154 155 156 157 158 159
    160 161 162 163 164 165 166 167 168 169 170 171 172 173 174 175 176 177 178 179
    180 181 182 183 184 185 186 187 188 189 190 191 192 193 194 195 196 197 198 199
}

#[test]
fn hundreds_of_families_beside_ten_thousand() {
    let run_time: Vec<_> = (0..10_000)
        .map(|number| family(&format!("limits:{number}"), 48))
        .collect();
    assert_eq!(leak_one_of_each(), 199 * 200 / 2);
    for (index, family) in run_time.iter().enumerate() {
        let units = index % 3 + 1;
        let block = OwnedBlock::zeroed(family, units);
        if index % 2 == 0 {
            block.release();
        }
    }
    let snapshot = mm::snapshot();
    let count = |is_ours: &dyn Fn(&str) -> bool| {
        let ours = snapshot
            .families
            .iter()
            .filter(|family| is_ours(family.name));
        ours.fold((0, 0), |(count, live), family| {
            (count + 1, live + family.live_blocks)
        })
    };
    assert_eq!(count(&|name| name.starts_with("Numbered<")), (200, 200));
    let is_numbered = |name: &str| {
        name.starts_with("limits:") && name.ends_with(|end: char| end.is_ascii_digit())
    };
    assert_eq!(count(&is_numbered), (10_000, 5_000));
    assert!(snapshot.block_usage().to_string().lines().count() > 10_200);
    mm::check().expect("the walker finds the same");
}

#[derive(MmManaged)]
struct Row {
    _bytes: [u8; 1_024],
}

/// Allocates in twelve families, and then rows until there is no memory.
fn use_all() -> ! {
    for number in 1..=12 {
        let family = family(&format!("limits:held-{number}"), 4_096);
        (0..number).for_each(|_| assert!(family.alloc(10).is_ok()));
    }
    loop {
        let row = MmBox::new(Row { _bytes: [1; 1_024] });
        mem::forget(row);
    }
}

#[test]
fn who_runs_out_of_memory_is_told_who_holds_it() {
    let name = "who_runs_out_of_memory_is_told_who_holds_it";
    let Some(output) = again(name, |child| limited(child, "ulimit -v 400000")) else {
        use_all();
    };
    let text = String::from_utf8_lossy(&output.stderr);
    let (_, told) = text.split_once("mm: out of memory for ").expect("it says");
    let mut lines = told.lines();
    let asked = "1 unit of 1024 bytes of page family `Row`; most is held by:";
    assert_eq!(lines.next(), Some(asked));
    let row = lines.next().expect("a row");
    assert!(
        row.contains(" MiB in ") && row.ends_with(" units of `Row`"),
        "{row}"
    );
    // Nine more, by what they hold: 12 times 10 units of 4 KiB are 480 KiB.
    let held = (4..=12).rev().map(|number| {
        format!(
            "  {}.0 KiB in {} units of `limits:held-{number}`",
            number * 40,
            number * 10
        )
    });
    let nine: Vec<_> = lines.by_ref().take(9).collect();
    assert_eq!(nine, held.collect::<Vec<_>>());
    assert!(
        lines
            .next()
            .is_some_and(|line| line.contains("memory allocation of 1024 bytes failed"))
    );
}

/// A value that is none if its bytes are anything.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(mm_portable)))]
#[derive(MmManaged)]
struct Slot {
    owned: Option<Box<u8>>,
    filled: [u64; 31],
}

/// Safe code: fills what it asked for zeroed, releases it, and asks for it again.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(mm_portable)))]
fn what_is_zeroed_is_zero() {
    for round in 0..3_u8 {
        for units in [1, 20, 500, 20_000] {
            let mut blocks: Vec<_> = (0..40_000 / units).map(|_| Slot::xcalloc(units)).collect();
            for slot in blocks.iter_mut().flat_map(|block| block.iter_mut()) {
                assert!(
                    slot.owned.is_none() && slot.filled == [0; 31],
                    "{units} units"
                );
                slot.owned = Some(Box::new(round));
                slot.filled = [u64::MAX; 31];
            }
            drop(blocks);
            assert_eq!(mm::trim(), 0, "nothing went back");
        }
    }
    mm::check().expect("the walker finds the same");
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(mm_portable)))]
#[test]
#[cfg_attr(
    feature = "global",
    ignore = "mm asks the kernel before a test can change it"
)]
fn memory_that_the_kernel_only_says_it_took_is_not_taken_for_zero() {
    if is_child(
        "memory_that_the_kernel_only_says_it_took_is_not_taken_for_zero",
        |_| {},
    ) {
        pretend(libc::SYS_madvise, Some(libc::MADV_DONTNEED));
        what_is_zeroed_is_zero();
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(mm_portable)))]
#[test]
#[cfg_attr(
    feature = "global",
    ignore = "mm asks the kernel before a test can change it"
)]
fn a_kernel_that_accepts_all_advice_is_found_out() {
    let name = "a_kernel_that_accepts_all_advice_is_found_out";
    if mm_tests::is_child_with(name, "guard,quarantine=64KiB") {
        pretend(libc::SYS_madvise, None);
        // Nor does it say how much memory there is.
        pretend(libc::SYS_sysinfo, None);
        what_is_zeroed_is_zero();
    }
}
