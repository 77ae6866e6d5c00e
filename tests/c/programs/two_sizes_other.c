/* The other file. */

#include "two_sizes.h"

typedef int node_t;

typedef struct {
  int number;
} same_size_t;

void *register_small(void) {
  MM_REG_STRUCT(same_size_t);
  MM_REG_STRUCT(node_t);
  return XCALLOC(1, node_t);
}

void release_small(void *small) { XFREE(small); }
