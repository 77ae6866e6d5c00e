/* The other file that includes the header. It allocates types and knows only their names. */

#define MM_UAPI_UNSIZED
#include "macros.h"

struct pair *other_new_pair(void);
struct pair *other_new_pair(void) { return new_pair(1); }

struct opaque *other_new_opaque(void);
struct opaque *other_new_opaque(void) { return XCALLOC(1, struct opaque); }

void *other_new_unheard_of(void);
void *other_new_unheard_of(void) { return XCALLOC(1, unheard_of_t); }
