/* For the macros of mm: sites, and the size and alignment of a type, in C and in C++. */

#ifndef MM_PLACES_H
#define MM_PLACES_H

/* Suppresses the warning about a static in an inline function: each file may have a site of its own. */
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include "mm_api.h"

/* The site of this line. In C++ it also works outside of functions: in initializers and default
 * arguments. C compilers other than gcc and clang cannot make a static inside an expression, so they
 * have no sites. */
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

/* Size of a struct in bytes. Does not compile for a struct that is aligned to more than 4 KiB,
 * because mm does not support that. */
#if defined(__GNUC__)
#define MM_SIZE_OF(struct_name)                                                                    \
  (sizeof(struct_name) + 0 * sizeof(char[__alignof__(struct_name) <= 4096 ? 1 : -1]))
#else
#define MM_SIZE_OF(struct_name) (sizeof(struct_name))
#endif

/* Size of a struct in bytes where it is allocated, at most 0xffffffff. mm compares it with the
 * registered size, because two source files may have different structs of one name. A source file
 * that allocates structs and knows no more than their names must define MM_UAPI_UNSIZED first; then
 * mm compares nothing. */
#if defined(MM_UAPI_UNSIZED)
#define MM_SIZE_HERE(struct_name) 0
#else
#define MM_SIZE_HERE(struct_name)                                                                  \
  (MM_SIZE_OF(struct_name) < 0xffffffffu ? MM_SIZE_OF(struct_name) : 0xffffffffu)
#endif

/* Alignment of a type. Where the language does not offer it, 0 makes mm use the largest alignment
 * that the size allows. */
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
