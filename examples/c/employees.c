/* The demonstration of the library that mm grew out of: blocks of two structs, and the reports.
 * It is a program as users of that library wrote it. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uapi_mm.h>

typedef struct {
  char name[32];
  uint32_t emp_id;
} emp_t;

typedef struct {
  char name[32];
  uint32_t rollno;
  uint16_t marks[6];
} student_t;

enum { FIFTIES = 4 };

static void report(const char *moment) {
  printf("\n== %s\n\n", moment);
  mm_print_block_usage();
  mm_print_memory_usage(0);
}

/* Returns an employee with a name. All other bytes are zero. */
static emp_t *hire(const char *name, uint32_t emp_id) {
  emp_t *emp = XCALLOC(1, emp_t);
  if (!emp)
    return NULL;
  strncpy(emp->name, name, sizeof emp->name - 1);
  emp->emp_id = emp_id;
  return emp;
}

int main(void) {
  emp_t *ada, *grace, *fifties[FIFTIES];
  student_t *one, *course;
  int i;

  MM_REG_STRUCT(emp_t);
  MM_REG_STRUCT(student_t);
  mm_print_registered_page_families();

  ada = hire("Ada", 7);
  grace = hire("Grace", 8);
  for (i = 0; i < FIFTIES; i++)
    fifties[i] = XCALLOC(50, emp_t);
  one = XCALLOC(1, student_t);
  course = XCALLOC(30, student_t);
  if (!ada || !grace || !one || !course)
    return 1;
  printf("employee %u is %s; the last mark of the course is %u\n", (unsigned)ada->emp_id, ada->name,
         (unsigned)course[29].marks[5]);
  report("with all blocks");

  for (i = 0; i < FIFTIES; i += 2)
    XFREE(fifties[i]);
  XFREE(one);
  report("after the release of the first and third block of 50 employees, and of one student");

  for (i = 1; i < FIFTIES; i += 2)
    XFREE(fifties[i]);
  XFREE(ada);
  XFREE(grace);
  XFREE(course);
  report("after the release of all");
  return 0;
}
