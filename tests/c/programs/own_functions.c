/* A program with functions of its own that have the original's names. Another file uses mm. */

#include "check.h"

static int calls;

void *xcalloc(size_t members, size_t size);
void *xrealloc(void *block, size_t size);
void xfree(void *block);
void use_mm(void);

void *xcalloc(size_t members, size_t size) {
  calls++;
  return calloc(members, size);
}

void *xrealloc(void *block, size_t size) {
  calls++;
  return realloc(block, size);
}

void xfree(void *block) {
  calls++;
  free(block);
}

int main(void) {
  use_mm();
  CHECK(calls == 0);
  char *block = xcalloc(3, 7);
  CHECK(block && is_zero(block, 21));
  xfree(xrealloc(block, 100));
  CHECK(calls == 3);
  return 0;
}
