/* Leaks, and forks two children that end normally: one leaks nothing, one leaks blocks of its own. */

#include "uapi_mm.h"

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  int words[9];
} emp_t;

/* Forks a child that leaks a number of blocks. Returns its exit status. */
static int child(int leaks) {
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    alarm(30);
    for (int at = 0; at < leaks; at++)
      CHECK(XCALLOC(1, emp_t));
    exit(0);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  return WEXITSTATUS(status);
}

int main(void) {
  MM_REG_STRUCT(emp_t);
  for (int at = 0; at < 5; at++)
    CHECK(XCALLOC(1, emp_t));
  CHECK(child(0) == 0);
  CHECK(child(2) == 3);
  return 7;
}
