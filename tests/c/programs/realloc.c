/* Blocks that grow and shrink. */

#include "uapi_mm.h"

#include "usage.h"

typedef struct {
  unsigned char bytes[36];
} emp_t;

static void fill(unsigned char *block, size_t from, size_t to) {
  for (size_t at = from; at < to; at++)
    block[at] = (unsigned char)(at * 7 + 1);
}

static int is_filled(const unsigned char *block, size_t to) {
  for (size_t at = 0; at < to; at++) {
    if (block[at] != (unsigned char)(at * 7 + 1))
      return 0;
  }
  return 1;
}

static void blocks(void) {
  unsigned char *block = (unsigned char *)XCALLOC(2, emp_t);
  fill(block, 0, 72);
  CHECK(xrealloc(block, 72) == block && xrealloc(block, 37) == block);
  CHECK(is_filled(block, 72));
  block = xrealloc(block, 100 * 36 - 1);
  CHECK(is_filled(block, 72) && is_zero(block + 72, 98 * 36));
  CHECK(usage_of("emp_t").live == 1 && usage_of("emp_t").bytes == 3600);
  fill(block, 72, 3600);
  block = xrealloc(block, 40);
  CHECK(is_filled(block, 72));
  CHECK(usage_of("emp_t").live == 1 && usage_of("emp_t").bytes == 72);
  /* Bytes that were cut off are zero when the block grows again. */
  block = xrealloc(block, 36);
  block = xrealloc(block, 3600);
  CHECK(is_filled(block, 36) && is_zero(block + 36, 99 * 36));
  CHECK(!xrealloc(block, 0) && usage_of("emp_t").live == 0);
}

static void buffers(void) {
  unsigned char *buffer = xrealloc(NULL, 100);
  CHECK(is_zero(buffer, 100));
  fill(buffer, 0, 100);
  buffer = xrealloc(buffer, 100000);
  CHECK(is_filled(buffer, 100) && is_zero(buffer + 112, 100000 - 112));
  XFREE(buffer);
  buffer = XCALLOC_BUFF(0);
  buffer = xrealloc(buffer, 50);
  CHECK(buffer && is_zero(buffer, 50));
  XFREE(buffer);
}

static void refusals(void) {
  emp_t *emps = XCALLOC(3, emp_t);
  fill(emps->bytes, 0, 108);
  CHECK(!xrealloc(emps + 1, 72)); /* says in xrealloc: address 0x.. is inside page family `emp_t`, but no block starts there */
  void *volatile foreign = malloc(36);
  CHECK(!xrealloc(foreign, 72)); /* says in xrealloc: address 0x.. belongs to no page family */
  free(foreign);
  CHECK(!xrealloc(emps, SIZE_MAX - 100)); /* says in xrealloc: 512409557603043098 units of 36 bytes overflow the size of a block of page family `emp_t` */
  CHECK(is_filled(emps->bytes, 108) && usage_of("emp_t").live == 1);
  XFREE(emps);
}

int main(void) {
  MM_REG_STRUCT(emp_t);
  blocks();
  buffers();
  refusals();
  return 0;
}
