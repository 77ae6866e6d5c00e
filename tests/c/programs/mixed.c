/* Must not compile. */

#include "uapi_mm.h"
#include "uapi_mm_instance.h"
