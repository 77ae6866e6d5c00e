/* Prints all reports of two instances, among lines of its own. */

#include "uapi_mm_instance.h"

#include "check.h"

/* Another struct of the same name, as independent files may have. */
static void *long_ones_of(mm_instance_t *own) {
  typedef struct {
    int words[450];
  } emp_t;
  return XCALLOC(own, 3, emp_t);
}

typedef struct {
  int words[9];
} emp_t;

int main(void) {
  mm_init();
  mm_instance_t *own = mm_init_new_instance();
  MM_REG_STRUCT(0, emp_t);
  mm_instantiate_new_page_family(own, "emp_t", 1800);
  void *emps = XCALLOC(0, 2, emp_t);
  void *long_ones = long_ones_of(own);
  void *buffer = XCALLOC_BUFF(own, 4000);
  CHECK(emps && long_ones && buffer);
  printf("global:\n");
  mm_print_registered_page_families(0);
  mm_print_block_usage(0);
  mm_print_variable_buffers(0);
  mm_print_memory_usage(0, "emp_t");
  mm_print_memory_usage(0, NULL);
  printf("own:\n");
  mm_print_registered_page_families(own);
  mm_print_block_usage(own);
  mm_print_variable_buffers(own);
  mm_print_memory_usage(own, "emp_t");
  mm_print_memory_usage(own, 0);
  XFREE(emps);
  XFREE_INST(own, long_ones);
  XFREE(buffer);
  printf("the end\n");
  return 0;
}
