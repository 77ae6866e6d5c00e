/* All macros and functions of the interface with instances, in the common part of all dialects. */

#include "uapi_mm_instance.h"

struct pair {
  int left, right;
};

int main(void) {
  mm_instance_t *own;
  void *pairs;
  mm_init();
  own = mm_init_new_instance();
  MM_REG_STRUCT(own, struct pair);
  MM_REG_STRUCT(0, struct pair);
  mm_instantiate_new_page_family(0, "pair", 8);
  if (lookup_page_family_by_name(0, "pair")->struct_size != 8)
    return 1;
  pairs = XCALLOC(own, XCALLOC(0, 0, struct pair) ? 2 : 0, struct pair);
  pairs = xrealloc(pairs, 24);
  pairs ? XFREE_INST(own, pairs) : XFREE(NULL);
  xfree(xcalloc(0, "pair", 3));
  xfree_inst(own, xcalloc_buff(own, 100));
  XFREE(XCALLOC_BUFF(own, 100));
  mm_print_registered_page_families(own);
  mm_print_block_usage(own);
  mm_print_variable_buffers(own);
  mm_print_memory_usage(0, "pair");
  return 0;
}
