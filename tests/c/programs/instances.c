/* Instances have families of their own, and a block belongs to one instance. */

/* One call site allocates for instances with three structs of one name. */
#define MM_UAPI_UNSIZED
#include "uapi_mm_instance.h"

#include "usage.h"

typedef struct {
  char bytes[10];
} cell_t;

static mm_instance_t *printed_one;

static void print_block_usage(void) { mm_print_block_usage(printed_one); }

static unsigned long bytes_of(mm_instance_t *instance, const char *family) {
  printed_one = instance;
  char *text = printed(print_block_usage);
  unsigned long bytes = usage_in(text, family).bytes;
  free(text);
  return bytes;
}

/* One call site for all instances. */
static cell_t *cells(mm_instance_t *instance, int units) { return XCALLOC(instance, units, cell_t); }

static void names_are_separate(mm_instance_t *one, mm_instance_t *two) {
  MM_REG_STRUCT(0, cell_t);
  mm_instantiate_new_page_family(one, "cell_t", 100);
  CHECK(!lookup_page_family_by_name(two, "cell_t"));
  CHECK(lookup_page_family_by_name(0, "cell_t")->struct_size == 10);
  CHECK(lookup_page_family_by_name(one, "cell_t")->struct_size == 100);
  CHECK(!XCALLOC(two, 1, cell_t)); /* says: no page family `cell_t` is registered */
  mm_instantiate_new_page_family(two, "cell_t", 1000);
  mm_instantiate_new_page_family(two, "cell_t", 8); /* says in mm_instantiate_new_page_family: `cell_t` has 8 bytes here, and 1000 where its page family was registered, at mm_instantiate_new_page_family */
}

static void blocks_are_of_their_instance(mm_instance_t *one, mm_instance_t *two) {
  for (int round = 0; round < 3; round++) {
    cell_t *all[3] = {cells(0, 2), cells(one, 2), cells(two, 2)};
    CHECK(is_zero(all[0], 20) && is_zero(all[1], 200) && is_zero(all[2], 2000));
    memset(all[2], 1, 2000);
    CHECK(bytes_of(0, "cell_t") == 20);
    CHECK(bytes_of(one, "cell_t") == 200 && bytes_of(two, "cell_t") == 2000);
    XFREE_INST(one, all[1]);
    xfree_inst(two, all[2]);
    XFREE(all[0]);
    CHECK(bytes_of(0, "cell_t") + bytes_of(one, "cell_t") + bytes_of(two, "cell_t") == 0);
  }
}

static void only_its_own_is_released(mm_instance_t *one, mm_instance_t *two) {
  cell_t *of_one = cells(one, 1);
  char *buffer = XCALLOC_BUFF(two, 50);
  xfree_inst(two, of_one); /* says in xfree_inst: block 0x.. is of another instance */
  XFREE_INST(0, of_one); /* says: block 0x.. is of another instance */
  xfree_inst(one, buffer); /* says in xfree_inst: block 0x.. is of another instance */
  xfree_inst(one, of_one->bytes + 1); /* says in xfree_inst: address 0x.. is inside page family `instance 1: cell_t`, but no block starts there */
  int on_the_stack = 0;
  xfree_inst(one, &on_the_stack); /* says in xfree_inst: address 0x.. belongs to no page family */
  xfree_inst(one, NULL);
  CHECK(bytes_of(one, "cell_t") == 100);
  /* XFREE releases blocks of any instance. */
  XFREE(of_one);
  xfree_inst(two, buffer);
  void *none = XCALLOC(one, 0, cell_t);
  CHECK(none);
  xfree_inst(one, none);
  CHECK(bytes_of(one, "cell_t") == 0);
}

/* A resized block stays in its instance. */
static void a_block_stays_with_its_instance(mm_instance_t *one) {
  char *block = xcalloc(one, "cell_t", 1);
  block = xrealloc(block, 300);
  CHECK(bytes_of(one, "cell_t") == 300 && bytes_of(0, "cell_t") == 0);
  xfree_inst(one, block);
}

int main(void) {
  mm_instance_t *one = mm_init_new_instance();
  mm_instance_t *two = mm_init_new_instance();
  CHECK(one && two && one != two);
  names_are_separate(one, two);
  blocks_are_of_their_instance(one, two);
  only_its_own_is_released(one, two);
  a_block_stays_with_its_instance(one);
  return 0;
}
