/* The other source that includes the header. */

#include "macros.h"

struct pair *other_new_pair(void);
struct pair *other_new_pair(void) { return new_pair(1); }
