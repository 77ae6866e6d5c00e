/* A library with functions of the original's names for its own memory, as GNU readline has. */
#include <stdlib.h>

int other_calls;

void *xcalloc_buff(unsigned bytes) { return calloc(1, bytes); }
void *xrealloc(void *block, size_t bytes) { return realloc(block, bytes); }
void xfree(void *block) { other_calls++; free(block); }

int other_works(void) {
  void *block = xrealloc(xcalloc_buff(9), 99);
  if (block == NULL)
    return 0;
  xfree(block);
  return other_calls == 1;
}
