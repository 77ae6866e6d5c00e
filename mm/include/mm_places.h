/* How macros of mm tell where in the source they are, in C and in C++. */

#ifndef MM_PLACES_H
#define MM_PLACES_H

/* A static in an inline function gets a warning, although each file may well have its own. */
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include "mm_api.h"

/* The site of this very line. C++ has it outside of functions too: in initializers and default
 * arguments. Other compilers of C than gcc and clang have no way to make one in an expression. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define MM_SITE(struct_name)                                                                       \
  ([]() -> struct mm_site * {                                                                      \
    static struct mm_site mm_site_ = {0, 0, struct_name, __FILE__, __LINE__};                         \
    return &mm_site_;                                                                              \
  }())
#elif defined(__GNUC__)
#define MM_SITE(struct_name)                                                                       \
  (__extension__({                                                                                 \
    static struct mm_site mm_site_ = {0, 0, struct_name, __FILE__, __LINE__};                         \
    &mm_site_;                                                                                     \
  }))
#endif

#endif /* MM_PLACES_H */
