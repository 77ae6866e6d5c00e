/* No mm_init is needed: empty reports and allocations work before it. */

#include "uapi_mm.h"

#include "usage.h"

typedef struct {
  int words[9];
} emp_t;

int main(void) {
  mm_print_registered_page_families();
  mm_print_block_usage();
  mm_print_memory_usage(NULL);
  mm_print_variable_buffers();
  CHECK(!XCALLOC(1, emp_t)); /* says: no page family `emp_t` is registered */
  MM_REG_STRUCT(emp_t);
  emp_t *emp = XCALLOC(1, emp_t);
  CHECK(emp);
  mm_init();
  mm_init();
  CHECK(usage_of("emp_t").live == 1);
  XFREE(emp);
  CHECK(usage_of("emp_t").live == 0);
  return 0;
}
