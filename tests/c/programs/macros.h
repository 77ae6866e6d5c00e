/* Functions in a header that is included twice, and by two source files. */

#ifndef MACROS_H
#define MACROS_H

#include "uapi_mm.h"
#include "mm.h"
#include "uapi_mm.h"

struct pair {
  int left, right;
};

static inline struct pair *new_pair(int left) {
  struct pair *pair = XCALLOC(1, struct pair);
  pair->left = left;
  return pair;
}

/* Not static: C has it in the file that declares it `extern`. */
inline struct pair *new_pairs(int units) { return XCALLOC(units, struct pair); }

inline void release_pair(struct pair *pair) { XFREE(pair); }

#endif
