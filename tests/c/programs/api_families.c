/* Families by handle: registered, refused, found, named, listed. */

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mm_families.h"

struct emp {
  char name[32];
  uint32_t id;
};

static void is_refused(enum mm_status status, const char *sentence) {
  char text[200];
  size_t length = mm_last_error(text, sizeof text);
  assert(mm_last_status() == status);
  assert(length == strlen(text));
  assert(strcmp(text, sentence) == 0);
}

static void registers(void) {
  struct mm_family *emps = MM_REGISTER(struct emp);
  assert(emps != NULL && mm_last_status() == MM_OK);
  assert(strcmp(mm_family_name(emps), "struct emp") == 0);
  assert(strcmp(mm_family_path(emps), "struct emp") == 0);
  assert(mm_family_name(emps) == mm_family_name(emps));
  assert(mm_family_unit_size(emps) == 36 && mm_family_unit_align(emps) == 4);
  assert(mm_family_find("struct emp") == emps);

  /* Sizes are rounded up to the alignment. An alignment of 0 means the largest that the size allows. */
  struct mm_family *lines = mm_family_register("lines", 100, 64);
  assert(mm_family_unit_size(lines) == 128 && mm_family_unit_align(lines) == 64);
  struct mm_family *pairs = mm_family_register("pairs", 48, 0);
  assert(mm_family_unit_size(pairs) == 48 && mm_family_unit_align(pairs) == 16);
}

static void refuses(void) {
  assert(MM_REGISTER(struct emp) == NULL);
  is_refused(MM_DUPLICATE_NAME, "page family `struct emp` is registered already");
  assert(mm_family_register("empty", 0, 8) == NULL);
  is_refused(MM_BAD_LAYOUT, "a page family cannot have units of 0 bytes aligned to 8");
  assert(mm_family_register("odd", 24, 3) == NULL);
  is_refused(MM_BAD_LAYOUT, "a page family cannot have units of 24 bytes aligned to 3");
  assert(mm_family_register("endless", SIZE_MAX, 8) == NULL);
  assert(mm_last_status() == MM_BAD_LAYOUT);
  assert(mm_family_register(NULL, 8, 8) == NULL);
  is_refused(MM_BAD_ARGUMENT, "the name is NULL");
  assert(mm_family_register("", 8, 8) == NULL);
  is_refused(MM_BAD_ARGUMENT, "the name is empty");
  assert(mm_family_register("\xff\xfe", 8, 8) == NULL);
  is_refused(MM_BAD_ARGUMENT, "the name is not UTF-8");
  assert(mm_family_find("endless") == NULL);
  is_refused(MM_UNKNOWN_NAME, "no page family is called `endless`");
  assert(mm_family_find(NULL) == NULL);
  is_refused(MM_BAD_ARGUMENT, "the name is NULL");
  assert(mm_family_name(NULL) == NULL && mm_family_path(NULL) == NULL);
  is_refused(MM_BAD_ARGUMENT, "the family is NULL");
  assert(mm_family_unit_size(NULL) == 0 && mm_family_unit_align(NULL) == 0);
  assert(strcmp(mm_status_text(MM_DUPLICATE_NAME), "name is taken") == 0);
  assert(strcmp(mm_status_text(1000), "no status of mm") == 0);
}

/* Families of the original interfaces have handles too. */
static void knows_older_faces(void) {
  mm_uapi_instantiate_new_page_family("old_t", 40);
  struct mm_family *old = mm_family_find("old_t");
  assert(mm_family_unit_size(old) == 40);
  void *block = mm_uapi_xcalloc("old_t", 3);
  assert(mm_block_family(block) == old && mm_block_bytes(block) == 120);
  assert(mm_release(block) == MM_OK);

  struct mm_instance_ *one = mm_inst_init_new_instance();
  struct mm_instance_ *two = mm_inst_init_new_instance();
  mm_inst_instantiate_new_page_family(one, "twin_t", 8);
  mm_inst_instantiate_new_page_family(two, "twin_t", 16);
  assert(mm_family_find("twin_t") == NULL);
  is_refused(MM_AMBIGUOUS_NAME,
             "several page families are called `twin_t`; their paths tell them apart");
  struct mm_family *second = mm_family_find("instance 2: twin_t");
  assert(mm_family_unit_size(second) == 16);
  assert(strcmp(mm_family_name(second), "twin_t") == 0);
  assert(strcmp(mm_family_path(second), "instance 2: twin_t") == 0);
  const char *key = mm_family_key(second);
  assert(strncmp(key, "instance 2: twin_t (", 20) == 0);
  assert(mm_family_find(key) == second && mm_family_key(NULL) == NULL);
}

static void lists_all(void) {
  size_t count = mm_families(NULL, 0);
  assert(count == 6);
  struct mm_family **all = (struct mm_family **)calloc(count + 1, sizeof *all);
  assert(all != NULL && mm_families(all, 2) == count && all[1] != NULL && all[2] == NULL);
  assert(mm_families(all, count + 1) == count && all[count] == NULL);
  for (size_t i = 1; i < count; i++)
    assert(strcmp(mm_family_path(all[i - 1]), mm_family_path(all[i])) < 0);
  assert(all[0] == mm_family_find("instance 0: old_t"));
  assert(all[1] == mm_family_find("instance 1: twin_t"));
  free(all);
}

int main(void) {
  registers();
  refuses();
  knows_older_faces();
  lists_all();
  return 0;
}
