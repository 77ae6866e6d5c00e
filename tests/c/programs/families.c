/* Any number of families, with names of any length. */

#include "uapi_mm.h"

#include "usage.h"

#define FAMILIES 180

static void all_are_listed(int families) {
  char *list = printed(mm_print_registered_page_families);
  char *usage = printed(mm_print_block_usage);
  CHECK(times(list, "Page Family : f") == families);
  for (int at = 0; at < families; at++) {
    char name[20], line[60];
    sprintf(name, "f%d", at);
    sprintf(line, "Page Family : %s, Size = %d\n", name, at + 1);
    CHECK(times(list, line) == 1);
    CHECK(usage_in(usage, name).live == 1 && usage_in(usage, name).bytes == (unsigned)at + 1);
  }
  free(list);
  free(usage);
}

static void many_families(void) {
  void *blocks[FAMILIES];
  for (int at = 0; at < FAMILIES; at++) {
    char name[20];
    sprintf(name, "f%d", at);
    mm_instantiate_new_page_family(name, at + 1);
    blocks[at] = xcalloc(name, 1);
    CHECK(blocks[at]);
    /* The library keeps a copy of the name. */
    memset(name, 'x', sizeof name);
    if (at == 63 || at == 99 || at == 113 || at == FAMILIES - 1)
      all_are_listed(at + 1);
  }
  for (int at = 0; at < FAMILIES; at++)
    xfree(blocks[at]);
}

/* Names with the same start are different names. */
static void names_are_whole(void) {
  char alike[2][301], of_32[33];
  memset(of_32, 'n', 32);
  of_32[32] = 0;
  for (int which = 0; which < 2; which++) {
    memset(alike[which], 'm', 300);
    alike[which][300] = 0;
    alike[which][299] = which ? 'y' : 'x';
  }
  mm_instantiate_new_page_family(of_32, 12);
  mm_instantiate_new_page_family(alike[0], 8);
  mm_instantiate_new_page_family(alike[1], 80);
  CHECK(lookup_page_family_by_name(of_32)->struct_size == 12);
  CHECK(!strcmp(lookup_page_family_by_name(of_32)->struct_name, of_32));
  CHECK(lookup_page_family_by_name(alike[0])->struct_size == 8);
  CHECK(lookup_page_family_by_name(alike[1])->struct_size == 80);
  CHECK(!strcmp(lookup_page_family_by_name(alike[1])->struct_name, alike[1]));
  char *block = xcalloc(alike[1], 1);
  memset(block, 0xff, 80);
  char *other = xcalloc(alike[0], 1);
  CHECK(is_zero(other, 8) && usage_of(alike[1]).bytes == 80 && usage_of(alike[0]).bytes == 8);
  xfree(block);
  xfree(other);
}

static void print_node_t(void) { mm_print_memory_usage("node_t"); }

static void a_report_is_of_one_family(void) {
  mm_instantiate_new_page_family("node", 8);
  mm_instantiate_new_page_family("node_t", 16);
  char *text = printed(print_node_t);
  CHECK(times(text, "vm_page_family : node_t, struct size = 16\n") == 1);
  CHECK(times(text, "vm_page_family : ") == 1);
  free(text);
}

int main(void) {
  many_families();
  names_are_whole();
  a_report_is_of_one_family();
  return 0;
}
