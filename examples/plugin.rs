//! Families without a type: each plugin gets one by name while the program runs.

use std::alloc::Layout;
use std::error::Error;
use std::ptr::NonNull;

use mm::{AllocError, FreeError, PageFamily};

/// The host's record of one plugin: its family, and its blocks.
struct Plugin {
    family: &'static PageFamily,
    blocks: Vec<NonNull<u8>>,
}

impl Plugin {
    fn load(name: &str, record: Layout) -> Result<Self, Box<dyn Error>> {
        let family = PageFamily::register(&format!("plugin:{name}"), record)?;
        let blocks = Vec::new();
        Ok(Self { family, blocks })
    }

    fn work(&mut self, records: usize) -> Result<(), AllocError> {
        self.blocks.push(self.family.alloc_zeroed(records)?);
        Ok(())
    }

    fn unload(self) -> Result<(), FreeError> {
        for block in self.blocks {
            // SAFETY: the family handed out the block, and no other code has it.
            unsafe { self.family.release(block)? };
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut gzip = Plugin::load("gzip", Layout::from_size_align(1_024, 16)?)?;
    let mut spell = Plugin::load("spell", Layout::from_size_align(40, 8)?)?;
    for records in 1..=10 {
        gzip.work(records)?;
        spell.work(100)?;
    }
    mm::print_registered_page_families();
    println!();
    mm::print_memory_usage(None);

    println!("\nWhat is wrong is refused:");
    if let Err(refused) = Plugin::load("gzip", Layout::new::<u64>()) {
        println!("{refused}");
    }
    // SAFETY: no code uses the block, and a family refuses blocks of other families.
    if let Err(refused) = unsafe { spell.family.release(gzip.blocks[0]) } {
        println!("{refused}");
    }

    gzip.unload()?;
    println!("\nafter plugin:gzip was unloaded:\n");
    mm::print_memory_usage(None);
    spell.unload()?;
    Ok(())
}
