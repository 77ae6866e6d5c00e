/* Structs and blocks of any size are zeroed, and units lie side by side. */

#include "uapi_mm.h"

#include "usage.h"

#include <limits.h>

#define STRUCT(bytes_)                                                                             \
  typedef struct {                                                                                 \
    char bytes[bytes_];                                                                            \
  } of_##bytes_

STRUCT(1);
STRUCT(16);
STRUCT(4090);
STRUCT(65448);
STRUCT(3145728);
STRUCT(5368709120);

static void is_a_block(void *block, size_t bytes) {
  CHECK(block && is_zero(block, bytes));
  memset(block, 0xa5, bytes);
}

#define ALLOCATES_AGAIN(units, type)                                                               \
  for (int round = 0; round < 3; round++) {                                                        \
    type *block = XCALLOC(units, type);                                                            \
    is_a_block(block, sizeof(type) * units);                                                       \
    XFREE(block);                                                                                  \
    CHECK(usage_of(#type).live == 0);                                                              \
  }

/* Writes only to its ends, because the machine may not have as much memory. */
static void five_gib(void) {
  MM_REG_STRUCT(of_5368709120);
  CHECK(lookup_page_family_by_name("of_5368709120")->struct_size == UINT32_MAX);
  char *text = printed(mm_print_registered_page_families);
  CHECK(times(text, "Page Family : of_5368709120, Size = 5368709120\n") == 1);
  free(text);
  XFREE(XCALLOC(0, of_5368709120));
  CHECK(!XCALLOC(INT_MAX, of_5368709120)); /* says: 2147483647 units of 5368709120 bytes overflow the size of a block of page family `of_5368709120` */
}

/* mm keeps no data beside the units. */
static void units_touch(void) {
  of_16 *all[200];
  for (int at = 0; at < 200; at++)
    all[at] = XCALLOC(1, of_16);
  int beside = 0;
  for (int at = 1; at < 200; at++)
    beside += all[at] - all[at - 1] == 1 || all[at - 1] - all[at] == 1;
  CHECK(beside > 180);
  for (int at = 0; at < 200; at++)
    XFREE(all[at]);
}

/* Pages are not executable. */
static void pages_are_not_executable(void) {
  char line[512];
  unsigned long start, end, found = 0;
  of_16 *block = XCALLOC(1, of_16);
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
    if ((uintptr_t)block < start || (uintptr_t)block >= end)
      continue;
    CHECK(strstr(line, " rw-p "));
    found++;
  }
  CHECK(found == 1);
  fclose(maps);
  XFREE(block);
}

int main(void) {
  MM_REG_STRUCT(of_1);
  MM_REG_STRUCT(of_16);
  MM_REG_STRUCT(of_4090);
  MM_REG_STRUCT(of_65448);
  MM_REG_STRUCT(of_3145728);
  ALLOCATES_AGAIN(1, of_1);
  ALLOCATES_AGAIN(100000, of_1);
  ALLOCATES_AGAIN(1, of_4090);
  ALLOCATES_AGAIN(1000, of_4090);
  ALLOCATES_AGAIN(1000, of_16);
  ALLOCATES_AGAIN(1, of_65448);
  ALLOCATES_AGAIN(3, of_65448);
  ALLOCATES_AGAIN(1, of_3145728);
  ALLOCATES_AGAIN(2, of_3145728);
  five_gib();
  units_touch();
  pages_are_not_executable();
  return 0;
}
