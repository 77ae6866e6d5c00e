/* All macros and functions of the interface without instances, in the common part of all dialects. */

#include "uapi_mm.h"

struct pair {
  int left, right;
};

static void *pair_or_buffer(int is_pair) {
  if (is_pair)
    return XCALLOC(1, struct pair);
  else
    return XCALLOC_BUFF(sizeof(struct pair));
}

int main(void) {
  struct pair *pairs;
  const vm_page_family_t *family;
  mm_init();
  MM_REG_STRUCT(struct pair);
  mm_instantiate_new_page_family("pair", 8);
  family = lookup_page_family_by_name("pair");
  if (!family || family->struct_size != 8 || family->struct_name[0] != 'p')
    return 1;
  pairs = (struct pair *)XCALLOC(XCALLOC(0, struct pair) ? 2 : 0, struct pair);
  pairs = (struct pair *)xrealloc(pairs, 3 * sizeof *pairs);
  pairs ? XFREE(pairs) : XFREE(NULL);
  xfree(xcalloc("pair", 3));
  xfree(xcalloc_buff(100));
  XFREE(pair_or_buffer(0));
  XFREE(pair_or_buffer(1));
  mm_print_registered_page_families();
  mm_print_block_usage();
  mm_print_variable_buffers();
  mm_print_memory_usage("pair");
  return 0;
}
