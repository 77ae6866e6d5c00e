/* Both original interfaces in one program. This file uses the one without instances. */

#include "uapi_mm.h"

#include "usage.h"

typedef struct {
  int words[9];
} emp_t;

void register_in_instance(void);
void *allocate_in_instance(void);
void release_in_instance(void *block);

int main(void) {
  MM_REG_STRUCT(emp_t);
  register_in_instance();
  /* This interface uses the global instance. */
  CHECK(lookup_page_family_by_name("shared_t")->struct_size == 24);
  void *here = XCALLOC(2, emp_t), *there = allocate_in_instance();
  CHECK(usage_of("emp_t").bytes == 72 && usage_of("shared_t").bytes == 72);
  XFREE(there);
  release_in_instance(here);
  CHECK(usage_of("emp_t").live == 0 && usage_of("shared_t").live == 0);
  return 0;
}
