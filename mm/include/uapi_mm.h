/* The interface of the library that mm grew out of. Programs that were written for it compile
 * unchanged.
 *
 *     MM_REG_STRUCT(emp_t);
 *     emp_t *emps = XCALLOC(3, emp_t);
 *     XFREE(emps);
 *     mm_print_block_usage();
 *
 * Programs that pass an instance as first argument include uapi_mm_instance.h, or are compiled with
 * -DMM_UAPI_INSTANCE. */

#if defined(MM_UAPI_INSTANCE)
#include "uapi_mm_instance.h"
#elif defined(MM_UAPI_MM_INSTANCE_H)
#error "uapi_mm.h and uapi_mm_instance.h give the same names to different functions: include one"
#elif !defined(MM_UAPI_MM_H)
#define MM_UAPI_MM_H

#include "mm_places.h"

typedef struct vm_page_family_ vm_page_family_t;

/* Other libraries use some of these names too, so the symbols in object files have a prefix. */
#define mm_init mm_uapi_init
#define mm_instantiate_new_page_family mm_uapi_instantiate_new_page_family
#define lookup_page_family_by_name mm_uapi_lookup_page_family_by_name
#define xcalloc mm_uapi_xcalloc
#define xcalloc_buff mm_uapi_xcalloc_buff
#define xrealloc mm_uapi_xrealloc
#define xfree mm_uapi_xfree
#define mm_print_registered_page_families mm_uapi_print_registered_page_families
#define mm_print_memory_usage mm_uapi_print_memory_usage
#define mm_print_block_usage mm_uapi_print_block_usage
#define mm_print_variable_buffers mm_uapi_print_variable_buffers

/* Registers the page family of a struct; its name is the text of the argument. */
#define MM_REG_STRUCT(struct_name)                                                                 \
  (mm_uapi_register_at(#struct_name, MM_SIZE_OF(struct_name), __FILE__, __LINE__))

/* Allocates a block of zeroed structs. Returns NULL and prints a line on standard error if a struct
 * of another size is registered with this name, and in all cases in which xcalloc does. */
#if defined(MM_SITE)
#define XCALLOC(units, struct_name)                                                                \
  (mm_uapi_xcalloc_at(MM_SITE(#struct_name, MM_SIZE_HERE(struct_name)), (units)))
#else
#define XCALLOC(units, struct_name)                                                                \
  (mm_uapi_xcalloc_sized(#struct_name, MM_SIZE_HERE(struct_name), (units), __FILE__, __LINE__))
#endif

/* Allocates a zeroed buffer. */
#define XCALLOC_BUFF(size_in_bytes)                                                                \
  (mm_uapi_xcalloc_buff_at((size_in_bytes), __FILE__, __LINE__))

/* Releases a block or a buffer. */
#define XFREE(ptr) (mm_uapi_xfree_at((ptr), __FILE__, __LINE__))

#endif /* MM_UAPI_MM_H */
