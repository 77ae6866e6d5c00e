// Static objects that register, allocate and release before main and at exit.

#include "uapi_mm.h"

#include "usage.h"

namespace {

struct emp_t {
  int words[9];
};

struct Registered {
  Registered() { MM_REG_STRUCT(emp_t); }
};

struct Holder {
  emp_t *emps;
  explicit Holder(int units) : emps(static_cast<emp_t *>(XCALLOC(units, emp_t))) {
    CHECK(emps && is_zero(emps, sizeof *emps * units));
  }
  ~Holder() { XFREE(emps); }
  Holder(const Holder &) = delete;
  Holder &operator=(const Holder &) = delete;
};

// Destroyed after the objects below it.
struct Last {
  ~Last() { CHECK(usage_of("emp_t").live == 0); }
};

Last last;
Registered registered;
Holder before(2);

} // namespace

int main() {
  static Holder inside(3);
  CHECK(usage_of("emp_t").live == 2 && usage_of("emp_t").bytes == 5 * sizeof(emp_t));
  thread_local Holder of_thread(1);
  CHECK(of_thread.emps && usage_of("emp_t").live == 3);
  return 0;
}
