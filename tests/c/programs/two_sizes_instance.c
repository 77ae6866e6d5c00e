/* Two structs of one name with the interface with instances: each instance has one of them. */

#include "uapi_mm_instance.h"

#include "check.h"

static void *large_of(mm_instance_t *instance) {
  typedef struct {
    long words[8];
  } node_t;
  return XCALLOC(instance, 1, node_t); /* says: `node_t` has 64 bytes here, and 4 where its page family was registered, at c/programs/two_sizes_instance.c:21 */
}

static void *small_of(mm_instance_t *instance) {
  typedef int node_t;
  return XCALLOC(instance, 1, node_t);
}

static void register_small(mm_instance_t *instance) {
  typedef int node_t;
  MM_REG_STRUCT(instance, node_t);
}

int main(void) {
  mm_instance_t *large = mm_init_new_instance();
  mm_instantiate_new_page_family(large, "node_t", 8 * sizeof(long));
  register_small(0);
  /* One call site for both: the family of one instance must not serve the other. */
  for (int round = 0; round < 3; round++) {
    void *small = small_of(0), *block = large_of(large);
    CHECK(small && block && is_zero(block, 8 * sizeof(long)));
    XFREE(small);
    XFREE_INST(large, block);
  }
  CHECK(!large_of(0));
  return 0;
}
