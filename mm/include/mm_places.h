/* How macros of mm tell where in the source they are, and what a type takes, in C and in C++. */

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
#define MM_SITE(struct_name, struct_size)                                                          \
  ([]() -> struct mm_site * {                                                                      \
    static struct mm_site mm_site_ = {0, 0, struct_name, __FILE__, __LINE__, struct_size};         \
    return &mm_site_;                                                                              \
  }())
#elif defined(__GNUC__)
#define MM_SITE(struct_name, struct_size)                                                          \
  (__extension__({                                                                                 \
    static struct mm_site mm_site_ = {0, 0, struct_name, __FILE__, __LINE__, struct_size};         \
    &mm_site_;                                                                                     \
  }))
#endif

/* Bytes of a struct. A struct that is aligned to more than 4 KiB does not compile: mm aligns none so. */
#if defined(__GNUC__)
#define MM_SIZE_OF(struct_name)                                                                    \
  (sizeof(struct_name) + 0 * sizeof(char[__alignof__(struct_name) <= 4096 ? 1 : -1]))
#else
#define MM_SIZE_OF(struct_name) (sizeof(struct_name))
#endif

/* The same where a struct is allocated, as far as a site can tell it. mm compares it with what was
 * registered: two sources may have two structs of one name. A source that allocates structs of which
 * it knows no more than the name defines MM_UAPI_UNSIZED first, and nothing is compared. */
#if defined(MM_UAPI_UNSIZED)
#define MM_SIZE_HERE(struct_name) 0
#else
#define MM_SIZE_HERE(struct_name)                                                                  \
  (MM_SIZE_OF(struct_name) < 0xffffffffu ? MM_SIZE_OF(struct_name) : 0xffffffffu)
#endif

/* Where the language does not say what a type is aligned to, 0 has mm take the most it can be. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define MM_ALIGN_OF(type) alignof(type)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MM_ALIGN_OF(type) _Alignof(type)
#elif defined(__GNUC__)
#define MM_ALIGN_OF(type) __alignof__(type)
#else
#define MM_ALIGN_OF(type) 0
#endif

#endif /* MM_PLACES_H */
