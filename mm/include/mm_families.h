/* Page families for new programs: mm_api.h, and macros that pass their file and line.
 *
 *     struct mm_family *emps = MM_REGISTER(struct emp);
 *     struct emp *three = MM_ALLOC_ZEROED_OF(emps, struct emp, 3);
 *     struct mm_family_stats stats = MM_FAMILY_STATS_INIT;
 *     mm_family_stats(emps, &stats);  -- live_units is 3
 *     mm_release(three);
 */

#ifndef MM_FAMILIES_H
#define MM_FAMILIES_H

#include "mm_places.h"

/* Registers the page family of a type; its name is the text of the argument. */
#define MM_REGISTER(type)                                                                          \
  (mm_family_register_at(#type, sizeof(type), MM_ALIGN_OF(type), __FILE__, __LINE__))

/* Allocate a block of units, with unspecified contents or zeroed. Reports of leaks name the line.
 * The type that the block is used for is not compared with the family. */
#define MM_ALLOC(family, units) (mm_family_alloc_at((family), (units), __FILE__, __LINE__))
#define MM_ALLOC_ZEROED(family, units)                                                             \
  (mm_family_alloc_zeroed_at((family), (units), __FILE__, __LINE__))

/* Do the same for a type. They return NULL if its size or alignment does not fit the family. The
 * result is a pointer to the type, so the compiler warns if it is assigned to a pointer to another
 * type. */
#define MM_ALLOC_OF(family, type, units)                                                           \
  (MM_POINTER_(type, mm_family_alloc_of_at((family), (units), sizeof(type), MM_ALIGN_OF(type),     \
                                           __FILE__, __LINE__)))
#define MM_ALLOC_ZEROED_OF(family, type, units)                                                    \
  (MM_POINTER_(type, mm_family_alloc_zeroed_of_at((family), (units), sizeof(type),                 \
                                                  MM_ALIGN_OF(type), __FILE__, __LINE__)))

#if defined(__cplusplus)
#define MM_POINTER_(type, block) static_cast<type *>(block)
#else
#define MM_POINTER_(type, block) (type *)(block)
#endif

/* Initializers for the structs of figures. They set the size and version of this header. */
#define MM_STATS_INIT MM_STATS_OF_(struct mm_stats)
#define MM_FAMILY_STATS_INIT MM_STATS_OF_(struct mm_family_stats)

/* C++ has designated initializers only since C++20, and compilers warn about fields that are left
 * out. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define MM_STATS_OF_(type)                                                                         \
  ([] {                                                                                            \
    type stats_ = {};                                                                              \
    stats_.size = sizeof(type);                                                                    \
    stats_.version = MM_STATS_VERSION;                                                             \
    return stats_;                                                                                 \
  }())
#elif defined(__cplusplus)
#define MM_STATS_OF_(type) {sizeof(type), MM_STATS_VERSION}
#else
#define MM_STATS_OF_(type) {.size = sizeof(type), .version = MM_STATS_VERSION}
#endif

#endif /* MM_FAMILIES_H */
