/* Aligned to more than 4 KiB, which mm does not support. */

#include "uapi_mm.h"

typedef struct {
  long word;
} __attribute__((aligned(8192))) page_t;

int main(void) {
  MM_REG_STRUCT(page_t);
  return 0;
}
