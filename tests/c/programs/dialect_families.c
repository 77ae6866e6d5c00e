/* All macros of the interface for new programs, in the common part of C99 and C++11. */

#include "mm_families.h"

struct pair {
  int left, right;
};

int main(void) {
  struct mm_family *pairs = MM_REGISTER(struct pair);
  struct pair *three = (struct pair *)MM_ALLOC_ZEROED(pairs, 3);
  struct pair *one = MM_ALLOC_ZEROED_OF(pairs, struct pair, 1);
  struct pair *another = MM_ALLOC_OF(pairs, struct pair, 1);
  void *two = MM_ALLOC(pairs, 2);
  struct mm_family_stats stats = MM_FAMILY_STATS_INIT;
  struct mm_stats all = MM_STATS_INIT;
  if (!three || three[2].right != 0 || !two)
    return 1;
  if (mm_family_stats(pairs, &stats) != MM_OK || mm_stats(&all) != MM_OK)
    return 2;
  if (stats.live_units != 7 || all.live_units != 7 || one->left != 0)
    return 3;
  mm_release(one);
  mm_release(another);
  mm_release(three);
  mm_release(two);
  if (mm_family_stats(pairs, &stats) != MM_OK || stats.live_units != 0)
    return 4;
  return 0;
}
