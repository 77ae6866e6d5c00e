/* Limits: of a family, of a group, and a soft limit, which only notifies. */

#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "mm_families.h"

static struct mm_family *small, *large;

static void refuses_above(void) {
  char text[300];
  assert(mm_family_limit_units(small) == UINT64_MAX);
  assert(mm_family_set_limit_bytes(small, 1050) == MM_OK && mm_family_limit_units(small) == 10);
  void *ten = mm_family_alloc(small, 10);
  assert(ten != NULL && MM_ALLOC_ZEROED(small, 1) == NULL && mm_last_status() == MM_OVER_LIMIT);
  size_t length = mm_last_error(text, sizeof text);
  const char *sentence = "page family `small` may not hold 1 more unit of 100 bytes: its limit is "
                         "1000 bytes; most is held by `small` (1000 bytes)";
  assert(length == strlen(sentence) && strcmp(text, sentence) == 0);
  assert(mm_last_error(text, 5) == length && strcmp(text, "page") == 0);
  assert(mm_last_error(NULL, 0) == length);

  assert(mm_family_set_limit_units(small, 11) == MM_OK && mm_family_limit_units(small) == 11);
  void *one = mm_family_alloc(small, 1);
  assert(one != NULL && mm_family_alloc(small, 1) == NULL);
  assert(mm_family_clear_limit(small) == MM_OK && mm_family_limit_units(small) == UINT64_MAX);
  void *two = mm_family_alloc(small, 2);
  assert(mm_release(ten) == MM_OK && mm_release(one) == MM_OK && mm_release(two) == MM_OK);
}

struct told {
  int times;
  struct mm_family *family;
};

static void tell(struct mm_family *family, void *context) {
  struct told *told = (struct told *)context;
  told->times++;
  told->family = family;
  /* The call may use mm. */
  assert(mm_release(mm_family_alloc(family, 1)) == MM_OK);
}

static void tells(void) {
  static struct told told;
  assert(mm_family_set_soft_limit_bytes(small, 200, tell, &told) == MM_OK);
  void *two = mm_family_alloc(small, 2);
  assert(told.times == 0);
  void *one = mm_family_alloc(small, 1);
  assert(told.times == 1 && told.family == small);
  assert(mm_release(one) == MM_OK);
  one = mm_family_alloc(small, 1);
  assert(told.times >= 2);
  assert(mm_family_set_soft_limit_units(small, 100, tell, &told) == MM_OK);
  assert(mm_family_clear_soft_limit(small) == MM_OK);
  const int before = told.times;
  void *many = mm_family_alloc(small, 200);
  assert(told.times == before);
  assert(mm_release(one) == MM_OK && mm_release(two) == MM_OK && mm_release(many) == MM_OK);
}

static void groups(void) {
  struct mm_limit_group *group = mm_limit_group_new(1000);
  assert(group != NULL && mm_limit_group_live_bytes(group) == 0);
  void *held = mm_family_alloc(small, 2);
  assert(mm_limit_group_add(group, small) == MM_OK && mm_limit_group_add(group, large) == MM_OK);
  assert(mm_limit_group_live_bytes(group) == 200);
  void *block = mm_family_alloc(large, 1);
  assert(block != NULL && mm_limit_group_live_bytes(group) == 1000);
  assert(mm_family_alloc(small, 1) == NULL && mm_last_status() == MM_OVER_LIMIT);
  assert(mm_limit_group_set_bytes(group, 1100) == MM_OK);
  void *one = mm_family_alloc(small, 1);
  assert(one != NULL && mm_limit_group_live_bytes(group) == 1100);
  assert(mm_limit_group_remove(group, large) == MM_OK);
  assert(mm_limit_group_live_bytes(group) == 300);
  assert(mm_release(held) == MM_OK && mm_release(one) == MM_OK && mm_release(block) == MM_OK);
  assert(mm_limit_group_live_bytes(group) == 0);
  assert(mm_limit_group_remove(group, small) == MM_OK);
}

static void refuses_null(void) {
  struct mm_limit_group *group = mm_limit_group_new(1);
  assert(mm_family_set_limit_bytes(NULL, 1) == MM_BAD_ARGUMENT);
  assert(mm_family_set_limit_units(NULL, 1) == MM_BAD_ARGUMENT);
  assert(mm_family_clear_limit(NULL) == MM_BAD_ARGUMENT && mm_family_limit_units(NULL) == 0);
  assert(mm_family_set_soft_limit_bytes(NULL, 1, tell, NULL) == MM_BAD_ARGUMENT);
  assert(mm_family_set_soft_limit_units(small, 1, NULL, NULL) == MM_BAD_ARGUMENT);
  assert(mm_family_clear_soft_limit(NULL) == MM_BAD_ARGUMENT);
  assert(mm_limit_group_add(NULL, small) == MM_BAD_ARGUMENT);
  assert(mm_limit_group_add(group, NULL) == MM_BAD_ARGUMENT);
  assert(mm_limit_group_remove(group, NULL) == MM_BAD_ARGUMENT);
  assert(mm_limit_group_set_bytes(NULL, 1) == MM_BAD_ARGUMENT);
  assert(mm_limit_group_live_bytes(NULL) == 0 && mm_last_status() == MM_BAD_ARGUMENT);
}

int main(void) {
  small = mm_family_register("small", 100, 4);
  large = mm_family_register("large", 800, 8);
  refuses_above();
  tells();
  groups();
  refuses_null();
  assert(mm_check() == MM_OK);
  return 0;
}
