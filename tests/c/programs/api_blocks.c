/* Blocks are handed out, released, refused, and counted exactly. */

#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "mm_families.h"

struct row {
  uint64_t words[8];
};

static struct mm_family *rows, *others;

static struct mm_family_stats figures(const struct mm_family *family) {
  struct mm_family_stats stats = MM_FAMILY_STATS_INIT;
  assert(mm_family_stats(family, &stats) == MM_OK);
  return stats;
}

static void is_refused(enum mm_status answer, enum mm_status wanted, const char *part) {
  char text[300];
  assert(answer == wanted && mm_last_status() == wanted);
  mm_last_error(text, sizeof text);
  assert(strstr(text, part) != NULL);
}

static void counts_exactly(void) {
  struct row *one = (struct row *)MM_ALLOC(rows, 1);
  struct row *five = (struct row *)MM_ALLOC_ZEROED(rows, 5);
  struct row *many = (struct row *)mm_family_alloc(rows, 100000);
  struct row *none = (struct row *)mm_family_alloc_zeroed(rows, 0);
  assert(one != NULL && five != NULL && many != NULL && none != NULL);
  for (size_t i = 0; i < 5; i++)
    for (size_t word = 0; word < 8; word++)
      assert(five[i].words[word] == 0);
  memset(one, 1, sizeof *one);
  many[99999].words[7] = 1;

  struct mm_family_stats stats = figures(rows);
  assert(stats.unit_size == 64 && stats.unit_align == 8 && stats.run_time == 1);
  assert(stats.live_blocks == 3 && stats.live_units == 100006);
  assert(stats.live_bytes == 100006 * 64 && stats.peak_live_bytes == stats.live_bytes);
  assert(stats.blocks_allocated == 3 && stats.blocks_released == 0);
  assert(stats.mapped_bytes >= stats.live_bytes && stats.vm_pages > 0);

  assert(mm_block_bytes(one) == 64 && mm_block_bytes(five) == 320);
  assert(mm_block_bytes(many) == 6400000 && mm_block_bytes(none) == 0);
  assert(mm_block_family(many) == rows && mm_block_family(none) == NULL);
  assert(mm_block_bytes(NULL) == 0 && mm_block_family(NULL) == NULL);
  assert(mm_last_status() == MM_OK);

  assert(mm_release(one) == MM_OK && mm_family_release(rows, five) == MM_OK);
  assert(mm_release(many) == MM_OK && mm_release(none) == MM_OK);
  assert(mm_release(NULL) == MM_OK && mm_family_release(rows, NULL) == MM_OK);
  stats = figures(rows);
  assert(stats.live_blocks == 0 && stats.live_bytes == 0 && stats.blocks_released == 3);
  assert(mm_check() == MM_OK);
}

static void refuses(void) {
  struct row local;
  struct row *pair = (struct row *)mm_family_alloc(rows, 2);
  is_refused(mm_family_release(others, pair), MM_WRONG_FAMILY, "page family `rows`, not to `others`");
  is_refused(mm_release(&pair[1]), MM_INTERIOR, "page family `rows`");
  is_refused(mm_release(&local), MM_FOREIGN, "no page family");
  is_refused(mm_family_release(NULL, pair), MM_BAD_ARGUMENT, "the family is NULL");
  assert(mm_block_bytes(&pair[1]) == 0);
  is_refused(mm_last_status(), MM_INTERIOR, "`rows`");
  assert(mm_block_family(&local) == NULL);
  is_refused(mm_last_status(), MM_FOREIGN, "address");
  assert(figures(rows).live_units == 2);
  assert(mm_release(pair) == MM_OK);
  is_refused(mm_release(pair), MM_NOT_LIVE, "`rows`");
  is_refused(mm_family_release(rows, pair), MM_NOT_LIVE, "`rows`");

  assert(mm_family_alloc(rows, SIZE_MAX) == NULL);
  is_refused(mm_last_status(), MM_SIZE_OVERFLOW, "64 bytes overflow the size of a block of page");
  assert(mm_family_alloc(NULL, 1) == NULL && mm_family_alloc_zeroed(NULL, 1) == NULL);
  assert(MM_ALLOC(NULL, 1) == NULL && MM_ALLOC_ZEROED(NULL, 1) == NULL);
  is_refused(mm_last_status(), MM_BAD_ARGUMENT, "the family is NULL");
  assert(figures(rows).live_units == 0);
}

/* Size and alignment of the block's type are compared with those of the family. */
static void knows_the_type(void) {
  struct larger {
    uint64_t words[9];
  };
  struct aligned_row {
    uint64_t words[8];
  } __attribute__((aligned(64)));
  struct row *row = MM_ALLOC_OF(rows, struct row, 1);
  struct row *zeroed = MM_ALLOC_ZEROED_OF(rows, struct row, 2);
  assert(row != NULL && zeroed != NULL && zeroed[1].words[7] == 0);
  assert(figures(rows).live_units == 3);
  assert(mm_release(row) == MM_OK && mm_release(zeroed) == MM_OK);

  struct larger *larger = MM_ALLOC_OF(rows, struct larger, 1);
  is_refused(mm_last_status(), MM_BAD_LAYOUT, "64 bytes aligned to 8, and the type has 72 aligned to 8");
  assert(larger == NULL && MM_ALLOC_ZEROED_OF(rows, struct larger, 0) == NULL);
  struct aligned_row *aligned = MM_ALLOC_ZEROED_OF(rows, struct aligned_row, 1);
  is_refused(mm_last_status(), MM_BAD_LAYOUT, "`rows` have 64 bytes aligned to 8, and the type has 64 aligned to 64");
  assert(aligned == NULL && MM_ALLOC_OF(NULL, struct row, 1) == NULL);
  is_refused(mm_last_status(), MM_BAD_ARGUMENT, "the family is NULL");
  assert(figures(rows).live_units == 0);
}

/* A block that is not zeroed and not written to: the first release succeeds, the second is refused. */
static void knows_second_releases(void) {
  for (size_t units = 1; units <= 40; units++) {
    for (int round = 0; round < 4; round++) {
      void *block = mm_family_alloc(rows, units);
      assert(mm_block_bytes(block) == units * 64);
      assert(mm_release(block) == MM_OK);
      assert(mm_release(block) == MM_NOT_LIVE);
      assert(mm_block_bytes(block) == 0);
      block = mm_family_alloc(rows, units);
      assert(mm_family_release(rows, block) == MM_OK);
      assert(mm_family_release(rows, block) == MM_NOT_LIVE);
    }
  }
  assert(figures(rows).live_blocks == 0 && mm_check() == MM_OK);
}

static void trims(void) {
  void *block = mm_family_alloc(others, 10000);
  memset(block, 1, mm_block_bytes(block));
  assert(mm_release(block) == MM_OK);
  mm_trim();
  struct mm_family_stats stats = figures(others);
  assert(stats.vm_pages == 0 && stats.mapped_bytes == 0 && stats.cached_units == 0);
  assert(mm_trim() == 0 && mm_check() == MM_OK);
}

int main(void) {
  rows = mm_family_register("rows", sizeof(struct row), 0x8);
  others = mm_family_register("others", 100, 4);
  counts_exactly();
  refuses();
  knows_the_type();
  knows_second_releases();
  trims();
  return 0;
}
