/* Two sets of page families with names and figures of their own, and the global set, which is 0. */

#include <stdio.h>
#include <uapi_mm_instance.h>

typedef struct {
  unsigned from, to, metric;
} route_t;

int main(void) {
  mm_instance_t *red = mm_init_new_instance();
  mm_instance_t *blue = mm_init_new_instance();
  route_t *one, *ten;
  char *packet;

  MM_REG_STRUCT(red, route_t);
  MM_REG_STRUCT(blue, route_t);
  one = XCALLOC(red, 1, route_t);
  ten = XCALLOC(blue, 10, route_t);
  packet = XCALLOC_BUFF(0, 1500);

  puts("red:");
  mm_print_block_usage(red);
  puts("blue:");
  mm_print_block_usage(blue);
  puts("global:");
  mm_print_registered_page_families(0);
  mm_print_variable_buffers(0);

  XFREE(packet);
  XFREE_INST(blue, ten);
  XFREE(one);
  return 0;
}
