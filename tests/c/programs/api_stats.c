/* Figures in structs of the size that the program was built with. */

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "mm_families.h"

static struct mm_family *words;

static uint64_t units_of(const struct mm_family_stats *family) {
  return family->free_units + family->live_units + family->cached_units;
}

/* Totals are sums over the families. */
static void totals(void) {
  struct mm_family *bytes = mm_family_register("bytes", 1, 1);
  void *blocks[3] = {mm_family_alloc(words, 4), mm_family_alloc(words, 1),
                     mm_family_alloc(bytes, 7)};
  struct mm_stats all = MM_STATS_INIT;
  assert(mm_stats(&all) == MM_OK);
  assert(all.size == sizeof all && all.version == MM_STATS_VERSION);
  assert(all.families == 2 && all.live_blocks == 3 && all.live_units == 12);
  assert(all.live_bytes == 5 * 8 + 7 && all.blocks_allocated == 3 && all.blocks_released == 0);
  assert(all.os_page_bytes >= 4096 && all.records_resident_bytes > 0);

  struct mm_family_stats one = MM_FAMILY_STATS_INIT, other = MM_FAMILY_STATS_INIT;
  assert(mm_family_stats(words, &one) == MM_OK && mm_family_stats(bytes, &other) == MM_OK);
  assert(all.mapped_bytes == one.mapped_bytes + other.mapped_bytes);
  assert(all.vm_pages == one.vm_pages + other.vm_pages);
  assert(one.live_units == 5 && other.live_units == 7 && other.live_bytes == 7);
  assert(units_of(&one) == one.first_page_units + (one.vm_pages - 1) * one.units_per_page);
  assert(units_of(&other) == other.first_page_units && other.vm_pages == 1);
  assert(other.first_page_units == other.units_per_page);
  assert(one.largest_free_block > 0 && one.largest_free_block <= one.free_units);
  for (size_t i = 0; i < 3; i++)
    assert(mm_release(blocks[i]) == MM_OK);
}

/* `mm_trim` returns the bytes that were reclaimable before, also for a large block that was never written. */
static void reclaimable(void) {
  struct mm_stats all = MM_STATS_INIT;
  assert(mm_release(mm_family_alloc(words, 1 << 17)) == MM_OK);
  assert(mm_stats(&all) == MM_OK && all.reclaimable_bytes >= 8 << 17);
  assert(mm_trim() == all.reclaimable_bytes);
  assert(mm_stats(&all) == MM_OK && all.reclaimable_bytes == 0);
}

/* A program with an older header, whose struct ends after `live_bytes`. */
static void older_program(void) {
  union {
    struct mm_family_stats stats;
    unsigned char bytes[sizeof(struct mm_family_stats)];
  } old;
  const size_t known = offsetof(struct mm_family_stats, free_blocks);
  void *block = mm_family_alloc(words, 3);
  memset(&old, 0x55, sizeof old);
  old.stats.size = known;
  old.stats.version = 1;
  assert(mm_family_stats(words, &old.stats) == MM_OK);
  assert(old.stats.size == known && old.stats.live_bytes == 24 && old.stats.unit_size == 8);
  for (size_t i = known; i < sizeof old; i++)
    assert(old.bytes[i] == 0x55);
  assert(mm_release(block) == MM_OK);
}

/* A program with a newer header, whose struct is longer. */
static void newer_program(void) {
  struct {
    struct mm_stats known;
    uint64_t later[4];
    uint64_t behind;
  } newer;
  memset(&newer, 0x55, sizeof newer);
  newer.known.size = offsetof(__typeof__(newer), behind);
  newer.known.version = MM_STATS_VERSION + 3;
  assert(mm_stats(&newer.known) == MM_OK);
  assert(newer.known.version == MM_STATS_VERSION && newer.known.families == 2);
  for (size_t i = 0; i < 4; i++)
    assert(newer.later[i] == 0);
  assert(newer.behind == UINT64_C(0x5555555555555555));
}

static void refuses(void) {
  struct mm_stats all = MM_STATS_INIT;
  struct mm_family_stats one = MM_FAMILY_STATS_INIT;
  assert(mm_stats(NULL) == MM_BAD_ARGUMENT && mm_family_stats(words, NULL) == MM_BAD_ARGUMENT);
  assert(mm_family_stats(NULL, &one) == MM_BAD_ARGUMENT);
  all.size = 8;
  assert(mm_stats(&all) == MM_BAD_ARGUMENT);
  all.size = sizeof all;
  all.version = 0;
  assert(mm_stats(&all) == MM_BAD_ARGUMENT && all.families == 0);
  one.size = 0;
  assert(mm_family_stats(words, &one) == MM_BAD_ARGUMENT);
}

int main(void) {
  words = mm_family_register("words", 8, 8);
  totals();
  reclaimable();
  older_program();
  newer_program();
  refuses();
  return 0;
}
