/* Must not compile either. */

#include "uapi_mm_instance.h"
#include "mm.h"
