/* Structs are aligned as the compiler expects, and buffers to 16, also within rows and after reuse. */

#include "uapi_mm.h"

#include "check.h"

#define ALIGNED(to, bytes_)                                                                        \
  typedef struct {                                                                                 \
    _Alignas(to) char bytes[bytes_];                                                               \
  } to_##to##_of_##bytes_

ALIGNED(2, 6);
ALIGNED(8, 24);
ALIGNED(16, 16);
ALIGNED(16, 48);
ALIGNED(16, 4112);
ALIGNED(64, 64);
ALIGNED(64, 320);
ALIGNED(64, 65472);
ALIGNED(128, 384);
ALIGNED(256, 768);
ALIGNED(4096, 4096);
ALIGNED(4096, 12288);

#define ARE_ALIGNED(type)                                                                          \
  do {                                                                                             \
    /* Enough small ones to need several VM pages. */                                   \
    const int count = sizeof(type) < 1000 ? 300 : 20;                                              \
    type *all[300];                                                                                \
    MM_REG_STRUCT(type);                                                                           \
    for (int round = 0; round < 2; round++) {                                                      \
      for (int at = 0; at < count; at++) {                                                         \
        all[at] = XCALLOC(1 + at % 3, type);                                                       \
        CHECK(all[at] && (uintptr_t)all[at] % _Alignof(type) == 0);                                \
        CHECK(is_zero(all[at], sizeof(type) * (1 + at % 3)));                                      \
        memset(all[at], 0xff, sizeof(type) * (1 + at % 3));                                        \
      }                                                                                            \
      for (int at = 0; at < count; at++)                                                           \
        XFREE(all[at]);                                                                            \
    }                                                                                              \
  } while (0)

static void buffers(void) {
  char *all[300];
  for (int round = 0; round < 2; round++) {
    for (int bytes = 0; bytes < 300; bytes++) {
      all[bytes] = XCALLOC_BUFF(bytes * bytes);
      CHECK(all[bytes] && is_zero(all[bytes], bytes * bytes));
      CHECK(bytes == 0 || (uintptr_t)all[bytes] % 16 == 0);
      memset(all[bytes], 0xff, bytes * bytes);
    }
    for (int bytes = 0; bytes < 300; bytes++)
      XFREE(all[bytes]);
  }
}

int main(void) {
  ARE_ALIGNED(to_2_of_6);
  ARE_ALIGNED(to_8_of_24);
  ARE_ALIGNED(to_16_of_16);
  ARE_ALIGNED(to_16_of_48);
  ARE_ALIGNED(to_16_of_4112);
  ARE_ALIGNED(to_64_of_64);
  ARE_ALIGNED(to_64_of_320);
  ARE_ALIGNED(to_64_of_65472);
  ARE_ALIGNED(to_128_of_384);
  ARE_ALIGNED(to_256_of_768);
  ARE_ALIGNED(to_4096_of_4096);
  ARE_ALIGNED(to_4096_of_12288);
  buffers();
  return 0;
}
