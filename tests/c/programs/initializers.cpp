// XCALLOC in places where only C++ has expressions, and in templates.

#include "uapi_mm.h"

#include "usage.h"

struct emp_t {
  int words[9];
};

struct Registered {
  Registered() { MM_REG_STRUCT(emp_t); }
} registered;

static emp_t *of_namespace = (emp_t *)XCALLOC(2, emp_t);

struct Member {
  emp_t *emp = (emp_t *)XCALLOC(1, emp_t);
  ~Member() { XFREE(emp); }
};

static void release(void *block = XCALLOC(3, emp_t)) {
  CHECK(block);
  XFREE(block);
}

// The name is the text of the argument.
template <class T> static T *made(int units) { return (T *)XCALLOC(units, emp_t); }

inline void *of_inline_function() { return XCALLOC(1, emp_t); }

int main() {
  CHECK(usage_of("emp_t").bytes == 2 * sizeof(emp_t));
  {
    Member member, other;
    CHECK(member.emp && member.emp != other.emp && usage_of("emp_t").live == 3);
  }
  release();
  release();
  XFREE(made<emp_t>(2));
  XFREE(of_inline_function());
  auto make = [](int units) { return XCALLOC(units, emp_t); };
  XFREE(make(4));
  XFREE(XCALLOC(XCALLOC(0, emp_t) ? 1 : 0, emp_t));
  try {
    Member member;
    throw 7;
  } catch (int) {
    CHECK(usage_of("emp_t").live == 1);
  }
  XFREE(of_namespace);
  CHECK(usage_of("emp_t").live == 0);
  return 0;
}
