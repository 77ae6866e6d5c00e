/* How macros of mm tell where in the source they are, in C and in C++. */

#ifndef MM_PLACES_H
#define MM_PLACES_H

#include "mm_api.h"

/* Calls `function(.., site, ..)` with a site of this very line's own, where the compiler has
 * statement expressions, as gcc and clang have; `otherwise` is what others evaluate. */
#if defined(__GNUC__)
#define MM_AT_SITE(struct_name, call, otherwise)                                                   \
  (__extension__({                                                                                 \
    static struct mm_site mm_site_ = {0, struct_name, __FILE__, __LINE__};                         \
    (call);                                                                                        \
  }))
#else
#define MM_AT_SITE(struct_name, call, otherwise) (otherwise)
#endif

#endif /* MM_PLACES_H */
