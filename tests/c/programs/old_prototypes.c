/* Includes no header of mm, and finds its functions by the original's names. */

#include "old_prototypes.h"

#include "check.h"

int main(void) {
  mm_init();
  mm_instantiate_new_page_family("emp_t", 36);
  char *emps = xcalloc("emp_t", 3);
  CHECK(emps && is_zero(emps, 108));
  emps = xrealloc(emps, 360);
  char *buffer = xcalloc_buff(100);
  CHECK(emps && buffer && is_zero(buffer, 100));
  CHECK(lookup_page_family_by_name("emp_t") && !lookup_page_family_by_name("emp"));
  CHECK(!xcalloc("node_t", 1)); /* says in xcalloc: no page family `node_t` is registered */
  xfree(emps + 36); /* says in xfree: address 0x.. is inside page family `emp_t`, but no block starts there */
  mm_print_registered_page_families();
  mm_print_block_usage();
  mm_print_variable_buffers();
  xfree(emps);
  xfree(buffer);
  mm_print_memory_usage("emp_t");
  return 0;
}
