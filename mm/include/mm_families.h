/* Page families for new programs: mm_api.h, and macros that know their place in the source.
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

/* A block of units: unspecified, or zeroed. Reports of leaks name the line. Nothing compares the
 * family's units with what the block is used for. */
#define MM_ALLOC(family, units) (mm_family_alloc_at((family), (units), __FILE__, __LINE__))
#define MM_ALLOC_ZEROED(family, units)                                                             \
  (mm_family_alloc_zeroed_at((family), (units), __FILE__, __LINE__))

/* The same for a variable of this type: NULL if it is not the family's, by size and alignment. What
 * they return is a pointer to the type, so the compiler sees one that goes to a pointer of another. */
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

/* What structs of figures begin as, for the version of this header. */
#define MM_STATS_INIT MM_STATS_OF_(struct mm_stats)
#define MM_FAMILY_STATS_INIT MM_STATS_OF_(struct mm_family_stats)

/* C++ has names of fields since 2020 only, and compilers warn of those that are left out. */
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
