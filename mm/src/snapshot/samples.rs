//! Snapshots made by hand, for the tests.

use super::{FamilyKey, FamilySnapshot, FillClass, Location, ProcessFigures, Snapshot};

/// Makes a family without any memory, of units of 8 bytes.
pub(crate) fn family(name: &'static str, path: &'static str) -> FamilySnapshot {
    let location = Location::new("src/lib.rs", 7, 1, "0.1.0");
    FamilySnapshot {
        unit_size: 8,
        unit_align: 8,
        units_per_page: 8_192,
        first_page_units: 8_192,
        ..FamilySnapshot::empty(
            name,
            path,
            location,
            FamilyKey::made(name, path, location, 1),
        )
    }
}

/// Gives families the keys that they would get if they were listed in this order.
fn with_keys(mut families: Vec<FamilySnapshot>) -> Vec<FamilySnapshot> {
    let place = |family: &FamilySnapshot| (family.path, family.location);
    for index in 0..families.len() {
        let (before, after) = families.split_at_mut(index);
        let family = &mut after[0];
        let alike = before.iter().filter(|other| place(other) == place(family));
        let nth = alike.fold(1, |nth, _| nth + 1);
        family.key = FamilyKey::made(family.name, family.path, family.location, nth);
    }
    families
}

/// Makes a snapshot of a process of 512.4 MiB.
pub(crate) fn snapshot(families: Vec<FamilySnapshot>) -> Snapshot {
    let process = ProcessFigures {
        os_page_bytes: 4_096,
        resident_bytes: Some(537_290_342),
        records_resident_bytes: Some(2_202_010),
        resident_is_measured: true,
    };
    Snapshot::new(process, with_keys(families))
}

/// Makes a family with live blocks of one unit, in pages that are all resident and otherwise free.
fn in_use(
    name: &'static str,
    path: &'static str,
    [unit_size, live, pages]: [u64; 3],
) -> FamilySnapshot {
    let mapped = pages * 65_536;
    let units_per_page = 65_536 / unit_size;
    let free_units = pages * units_per_page - live;
    FamilySnapshot {
        unit_size,
        units_per_page,
        first_page_units: units_per_page,
        free_blocks: free_units.min(pages),
        free_units,
        largest_free_block: free_units.min(units_per_page),
        occupied_page_free_bytes: free_units * unit_size,
        vm_pages: pages,
        mapped_bytes: mapped,
        resident_bytes: Some(mapped),
        live_blocks: live,
        live_units: live,
        live_bytes: live * unit_size,
        peak_live_bytes: live * unit_size,
        blocks_allocated: live,
        occupied_page_bytes: mapped,
        ..family(name, path)
    }
}

/// Makes a family of 208-byte units that never released one.
fn session() -> FamilySnapshot {
    let full = FillClass {
        pages: 3_823,
        occupied_blocks: 1_204_245,
        ..FillClass::default()
    };
    let nearly_empty = FillClass {
        pages: 7,
        occupied_blocks: 86,
        free_blocks: 7,
        free_units: 2_119,
        largest_free_block: 315,
    };
    FamilySnapshot {
        location: Location::new("src/session.rs", 41, 1, "0.1.0"),
        free_blocks: 7,
        free_units: 2_119,
        largest_free_block: 315,
        occupied_page_free_bytes: 2_119 * 208,
        fill: [
            FillClass::default(),
            nearly_empty,
            FillClass::default(),
            FillClass::default(),
            FillClass::default(),
            full,
        ],
        ..in_use(
            "Session",
            "indexd::session::Session",
            [208, 1_204_331, 3_830],
        )
    }
}

/// Makes a family that was half as large again and is now full of holes.
fn posting() -> FamilySnapshot {
    let fill = |pages, occupied_blocks, free_blocks, free_units, largest_free_block| FillClass {
        pages,
        occupied_blocks,
        free_blocks,
        free_units,
        largest_free_block,
    };
    FamilySnapshot {
        location: Location::new("src/index.rs", 17, 1, "0.1.0"),
        unit_align: 4,
        free_blocks: 569_798,
        free_units: 1_776_766,
        cached_units: 512,
        peak_live_bytes: 162_214_707,
        blocks_allocated: 47_720_000,
        blocks_released: 47_720_000 - 2_911_042,
        largest_free_block: 1_204,
        occupied_page_free_bytes: 1_776_766 * 36,
        fill: [
            FillClass::default(),
            FillClass::default(),
            fill(564, 353_726, 140_319, 672_754, 1_204),
            fill(1_402, 1_658_566, 341_077, 893_074, 212),
            fill(610, 898_750, 88_402, 210_938, 64),
            FillClass::default(),
        ],
        ..in_use("Posting", "indexd::index::Posting", [36, 2_911_042, 2_576])
    }
}

/// Makes the snapshot of the contract's sample.
pub(crate) fn indexd() -> Snapshot {
    let gzip = FamilySnapshot {
        location: Location::new("src/plugins.rs", 88, 17, "0.1.0"),
        run_time: true,
        unit_size: 1_024,
        unit_align: 16,
        units_per_page: 64,
        first_page_units: 64,
        peak_live_bytes: 3_072,
        blocks_allocated: 3,
        blocks_released: 3,
        ..family("plugin:gzip", "plugin:gzip")
    };
    snapshot(vec![
        session(),
        gzip,
        in_use("Term", "indexd::index::Term", [16, 9_200, 3]),
        in_use("Cursor", "indexd::query::Cursor", [32, 9_200, 7]),
        posting(),
    ])
}

/// Makes a snapshot in which every figure is as large as it can be.
pub(crate) fn huge() -> Snapshot {
    let most = u64::MAX;
    let class = FillClass {
        pages: most,
        occupied_blocks: most,
        free_blocks: most,
        free_units: most,
        largest_free_block: most,
    };
    let huge = |name| {
        let mut family = FamilySnapshot {
            location: Location::new("src/lib.rs", u32::MAX, u32::MAX, "0.1.0"),
            fill: [class; 6],
            ..family(name, name)
        };
        family.set_figures(|| most);
        family
    };
    let process = ProcessFigures {
        os_page_bytes: most,
        resident_bytes: Some(most),
        records_resident_bytes: Some(most),
        resident_is_measured: true,
    };
    Snapshot::new(process, with_keys(vec![huge("A"), huge("B")]))
}
