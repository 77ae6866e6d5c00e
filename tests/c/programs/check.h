/* Checks for the programs. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

static inline void check_failed(const char *file, int line, const char *condition) {
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
  exit(1);
}

/* Returns whether all bytes are zero. */
static inline int is_zero(const void *start, size_t bytes) {
  const unsigned char *all = (const unsigned char *)start;
  for (size_t at = 0; at < bytes; at++) {
    if (all[at] != 0)
      return 0;
  }
  return 1;
}

#endif
