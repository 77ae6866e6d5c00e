/* The macros in all places of the grammar where programs use them. */

#include "macros.h"
#include "macros.h"

#include "usage.h"

extern inline struct pair *new_pairs(int units);
extern inline void release_pair(struct pair *pair);

typedef struct {
  int words[9];
} objects_linked_acl_thread_node;
typedef struct {
  int words[3];
} emp_t;

struct student {
  char name[8];
} student_st;

#define TEN(word) word##word##word##word##word##word##word##word##word##word
#define LONG_NAME TEN(a_name_of_thirty_characters_ab)

typedef emp_t LONG_NAME;

#define REGISTER(type) MM_REG_STRUCT(type)
#define ALLOCATE(units, type) XCALLOC(units, type)

struct pair *other_new_pair(void);
struct opaque *other_new_opaque(void);
void *other_new_unheard_of(void);

static int calls;

static int counted(int value) {
  calls++;
  return value;
}

static void *counted_pointer(void *value) {
  calls++;
  return value;
}

static void statements(int is_one) {
  void *block = NULL;
  if (is_one)
    block = XCALLOC(1, emp_t);
  else
    block = XCALLOC(2, emp_t);
  CHECK(usage_of("emp_t").bytes == (is_one ? 12 : 24));
  if (!is_one)
    XFREE(block);
  else
    XFREE(block);
  for (block = XCALLOC(3, emp_t); block; XFREE(block), block = NULL)
    CHECK(usage_of("emp_t").bytes == 36);
}

static void nothing(void) { calls++; }

/* XFREE is an expression without a value. */
static void expressions(int is_released) {
  emp_t *emp = XCALLOC(1, emp_t);
  is_released ? XFREE(emp) : nothing();
  !is_released ? nothing() : (void)0;
  is_released ? (void)0 : XFREE(emp);
  CHECK(usage_of("emp_t").live == 0);
}

static void arguments_count_once(void) {
  calls = 0;
  emp_t *emps = XCALLOC(counted(4), emp_t);
  CHECK(calls == 1);
  XFREE(counted_pointer(emps));
  CHECK(calls == 2);
  char *buffer = XCALLOC_BUFF(counted(40));
  CHECK(calls == 3);
  char *moving = buffer + 1;
  XFREE(--moving);
  CHECK(moving == buffer);
  int units = 1;
  emps = XCALLOC(units++, emp_t);
  CHECK(units == 2);
  XFREE(emps);
  emps = XCALLOC(units > 1 ? 2 : 3, emp_t);
  CHECK(usage_of("emp_t").bytes == 24);
  XFREE(emps);
}

static void nested(void) {
  emp_t *inner = NULL;
  emp_t *emps = XCALLOC((inner = XCALLOC(1, emp_t)) != NULL ? 2 : 0, emp_t);
  CHECK(emps && inner && usage_of("emp_t").live == 2);
  XFREE(emps);
  XFREE(inner);
  XFREE(XCALLOC(XCALLOC(0, emp_t) != NULL, emp_t));
}

static void in_headers(void) {
  struct pair *one = new_pair(7), *two = new_pairs(2), *other = other_new_pair();
  CHECK(one->left == 7 && two && other && usage_of("struct pair").live == 3);
  release_pair(one);
  release_pair(two);
  XFREE(other);
}

/* Types need not be known in a source that says so, and a variable has a size too. */
static void names(void) {
  mm_instantiate_new_page_family("struct opaque", 64);
  mm_instantiate_new_page_family("unheard_of_t", 8);
  struct opaque *opaque = other_new_opaque();
  void *unheard_of = other_new_unheard_of();
  CHECK(opaque && unheard_of && usage_of("struct opaque").bytes == 64);
  XFREE(opaque);
  XFREE(unheard_of);
  MM_REG_STRUCT(student_st);
  XFREE(XCALLOC(1, student_st));
  CHECK(lookup_page_family_by_name("student_st")->struct_size == 8);
  MM_REG_STRUCT(objects_linked_acl_thread_node);
  XFREE(XCALLOC( 1 , objects_linked_acl_thread_node ));
  REGISTER(LONG_NAME);
  void *block = ALLOCATE(1, LONG_NAME);
  CHECK(block);
  XFREE(block);
}

/* Both macros use the name before its expansion, or both use it after that. */
static void looks_like_a_function(void) {
  vm_page_family_t *family = lookup_page_family_by_name("emp_t");
  CHECK(family && !strcmp(family->struct_name, "emp_t") && family->struct_size == sizeof(emp_t));
  CHECK(!lookup_page_family_by_name("emp") && !lookup_page_family_by_name("emp_t_"));
  void *(*allocate)(const char *, int) = xcalloc;
  void (*release)(void *) = xfree;
  release(allocate("emp_t", 2));
  CHECK(usage_of("emp_t").live == 0);
}

int main(void) {
  MM_REG_STRUCT(emp_t);
  MM_REG_STRUCT(struct pair);
  statements(0);
  statements(1);
  expressions(0);
  expressions(1);
  arguments_count_once();
  nested();
  in_headers();
  names();
  looks_like_a_function();
  return 0;
}
