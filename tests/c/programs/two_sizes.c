/* Two files have different structs of one name. A call that knows the other size gets no block. */

#include "two_sizes.h"

#include "usage.h"

typedef struct {
  long words[8];
} node_t;

/* Has the size of the struct in the other file. */
typedef struct {
  char bytes[4];
} same_size_t;

int main(void) {
  int *small = (int *)register_small();
  CHECK(small);
  MM_REG_STRUCT(node_t); /* says: `node_t` has 64 bytes here, and 4 where its page family was registered, at c/programs/two_sizes_other.c:13 */
  MM_REG_STRUCT(same_size_t); /* says: page family `same_size_t` is registered already */
  CHECK(!XCALLOC(1, node_t)); /* says: `node_t` has 64 bytes here, and 4 where its page family was registered, at c/programs/two_sizes_other.c:13 */
  CHECK(!XCALLOC(3, node_t)); /* says: `node_t` has 64 bytes here, and 4 where its page family was registered, at c/programs/two_sizes_other.c:13 */
  for (int again = 0; again < 3; again++) {
    same_size_t *same = (same_size_t *)XCALLOC(1, same_size_t);
    CHECK(same && is_zero(same, sizeof *same));
    XFREE(same);
  }
  /* The call with the registered size still works. */
  CHECK(usage_of("node_t").live == 1 && *small == 0);
  release_small(small);
  /* A function that gets no size cannot detect it. */
  xfree(xcalloc("node_t", 1));
  mm_instantiate_new_page_family("node_t", 8); /* says in mm_instantiate_new_page_family: `node_t` has 8 bytes here, and 4 where its page family was registered, at c/programs/two_sizes_other.c:13 */
  mm_instantiate_new_page_family("by_function", 8);
  mm_instantiate_new_page_family("by_function", 16); /* says in mm_instantiate_new_page_family: `by_function` has 16 bytes here, and 8 where its page family was registered, at mm_instantiate_new_page_family */
  CHECK(usage_of("node_t").live == 0);
  return 0;
}
