/* Prints all reports, among lines of its own. */

#include "uapi_mm.h"

#include "check.h"

typedef struct {
  int words[9];
} emp_t;

typedef struct {
  char name[20];
  int roll_number;
} student_t;

int main(void) {
  mm_init();
  MM_REG_STRUCT(emp_t);
  MM_REG_STRUCT(student_t);
  mm_instantiate_new_page_family("a_name_of_more_than_twenty_characters_t", 8);
  printf("families:\n");
  mm_print_registered_page_families();
  emp_t *emps[3];
  for (int at = 0; at < 3; at++)
    emps[at] = XCALLOC(at + 1, emp_t);
  student_t *students = XCALLOC(100, student_t);
  char *buffer = XCALLOC_BUFF(100);
  CHECK(emps[0] && emps[1] && emps[2] && students && buffer);
  printf("blocks, of %d structs:\n", 1 + 2 + 3 + 100);
  mm_print_block_usage();
  printf("buffers: ");
  mm_print_variable_buffers();
  printf("memory of emp_t:");
  mm_print_memory_usage("emp_t");
  XFREE(emps[1]);
  XFREE(students);
  printf("after two releases:\n");
  mm_print_block_usage();
  printf("memory:");
  mm_print_memory_usage(NULL);
  printf("the end\n");
  return 0;
}
