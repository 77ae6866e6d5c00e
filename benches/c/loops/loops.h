/* The loops of a rival, as the program sees them that times them. */

#ifndef LOOPS_H
#define LOOPS_H

#include <stddef.h>
#include <stdint.h>

/* The value of the Rust benches: 36 bytes, which is not a size class of any allocator. */
typedef struct plain {
  uint32_t words[9];
} plain;

/* The loops of one rival. `src/loops.rs` has the same struct. */
struct loops {
  /* Prepares the rival, once. */
  void (*begin)(void);
  /* Allocates, writes and releases one, `count` times. */
  void (*pair)(size_t count);
  /* Allocates `count`, in order. */
  void (*allocate)(plain **values, size_t count);
  /* Releases `count`, in order. */
  void (*release)(plain **values, size_t count);
  /* Replaces the blocks at the places. */
  void (*replace)(plain **values, const uint32_t *places, size_t count);
  /* Replaces the blocks at the places by rows, each of one unit more than its length says. */
  void (*replace_rows)(plain **rows, const uint32_t *places, const uint32_t *lengths, size_t count);
};

#endif /* LOOPS_H */
