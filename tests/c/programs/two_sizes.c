/* Two sources have two structs of one name: each place that knows the other size gets no block. */

#include "two_sizes.h"

#include "usage.h"

typedef struct {
  long words[8];
} node_t;

/* Of the other source's size. */
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
  /* The place that has the registered size goes on. */
  CHECK(usage_of("node_t").live == 1 && *small == 0);
  release_small(small);
  /* What gets no size cannot tell. */
  xfree(xcalloc("node_t", 1));
  mm_instantiate_new_page_family("node_t", 8); /* says in mm_instantiate_new_page_family: `node_t` has 8 bytes here, and 4 where its page family was registered, at c/programs/two_sizes_other.c:13 */
  mm_instantiate_new_page_family("by_function", 8);
  mm_instantiate_new_page_family("by_function", 16); /* says in mm_instantiate_new_page_family: `by_function` has 16 bytes here, and 8 where its page family was registered, at mm_instantiate_new_page_family */
  CHECK(usage_of("node_t").live == 0);
  return 0;
}
