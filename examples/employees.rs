//! The demonstration of the C library that mm grew out of: blocks of two types, and the reports.

use mm::MmManaged;

#[derive(MmManaged)]
#[expect(dead_code, reason = "only the size matters here")]
struct Emp {
    name: [u8; 32],
    emp_id: u32,
}

#[derive(MmManaged)]
#[expect(dead_code, reason = "only the size matters here")]
struct Student {
    name: [u8; 32],
    rollno: u32,
    marks: [u16; 6],
}

fn main() {
    let _emps = [1, 1, 1].map(Emp::xcalloc);
    let fifties = [50; 4].map(Emp::xcalloc);
    let _students = [1, 1].map(Student::xcalloc);

    mm::print_registered_page_families();
    report("With all blocks");

    fifties.into_iter().for_each(Emp::xfree);
    report("After the release of the four blocks of 50");
}

fn report(moment: &str) {
    println!("\n{moment}:\n");
    mm::print_memory_usage(None);
    println!();
    mm::print_block_usage();
    println!();
    for family in mm::snapshot().families {
        println!("{}: {} live blocks", family.name, family.live_blocks);
    }
}
