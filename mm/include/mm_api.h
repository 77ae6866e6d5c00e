/* The C interface of mm. For programs written for the library that mm grew out of there are
 * uapi_mm.h and uapi_mm_instance.h, which map its names to the functions here.
 *
 * cbindgen made this file of mm/src/capi: change it there. */

#ifndef MM_API_H
#define MM_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A set of families whose names are its own; its families stay for ever.
 */
struct mm_instance_;

/**
 * What a program may know of a page family.
 */
struct vm_page_family_ {
  /**
   * The whole name, of any length.
   */
  const char *struct_name;
  /**
   * Bytes of one unit; `UINT32_MAX` if they are more.
   */
  uint32_t struct_size;
};

/**
 * One place of a program that allocates: made by `XCALLOC` and `MM_ALLOC`, and used by nobody else.
 *
 * It remembers the family that was found there by its name, so that a call that is made again needs
 * no look-up.
 */
struct mm_site {
  /**
   * The family, once it was found. Starts as null.
   */
  struct vm_page_family_ *family;
  /**
   * Name of the struct.
   */
  const char *name;
  /**
   * File of the source.
   */
  const char *file;
  /**
   * Line in it, from 1.
   */
  uint32_t line;
};

/**
 * Makes an instance: a set of families of its own, which stays. `NULL`, and a line on standard error,
 * without memory for it.
 */
struct mm_instance_ *mm_inst_init_new_instance(void);

/**
 * Registers a family of structs of `struct_size` bytes.
 *
 * # Safety
 *
 * `instance` is null or an instance; `struct_name` is null or a string of C.
 */
void mm_inst_instantiate_new_page_family(struct mm_instance_ *instance,
                                         const char *struct_name,
                                         uint32_t struct_size);

/**
 * As `mm_instantiate_new_page_family`, for `MM_REG_STRUCT`, which knows its place in the source.
 *
 * # Safety
 *
 * `instance` is null or an instance; `struct_name` and `file` are null or strings of C.
 */
void mm_inst_register_at(struct mm_instance_ *instance,
                         const char *struct_name,
                         size_t struct_size,
                         const char *file,
                         uint32_t line);

/**
 * Allocates a block of `units` zeroed units of the instance's family of this name.
 *
 * # Safety
 *
 * `instance` is null or an instance; `struct_name` is null or a string of C.
 */
void *mm_inst_xcalloc(struct mm_instance_ *instance, const char *struct_name, int units);

/**
 * As `xcalloc`, for `XCALLOC`: the name is looked up the first time only.
 *
 * # Safety
 *
 * `instance` is null or an instance; `XCALLOC` made the site.
 */
void *mm_inst_xcalloc_at(struct mm_instance_ *instance, struct mm_site *site, int64_t units);

/**
 * Allocates a zeroed buffer of `bytes` bytes, aligned to 16, of the instance's family of plain bytes.
 *
 * # Safety
 *
 * `instance` is null or an instance.
 */
void *mm_inst_xcalloc_buff(struct mm_instance_ *instance,
                           uint32_t bytes);

/**
 * As `xcalloc_buff`, for `XCALLOC_BUFF`, which knows its place in the source.
 *
 * # Safety
 *
 * `instance` is null or an instance; `file` is null or a string of C.
 */
void *mm_inst_xcalloc_buff_at(struct mm_instance_ *instance,
                              size_t bytes,
                              const char *file,
                              uint32_t line);

/**
 * Returns the instance's family of exactly this name, or `NULL`.
 *
 * # Safety
 *
 * `instance` is null or an instance; `struct_name` is null or a string of C.
 */
struct vm_page_family_ *mm_inst_lookup_page_family_by_name(struct mm_instance_ *instance,
                                                           const char *struct_name);

/**
 * Prints each family that is registered in the instance to `stdout`.
 *
 * # Safety
 *
 * `instance` is null or an instance.
 */
void mm_inst_print_registered_page_families(struct mm_instance_ *instance);

/**
 * Prints each VM page and each block of the instance's family of exactly this name, or of all for
 * `NULL`, to `stdout`.
 *
 * # Safety
 *
 * `instance` is null or an instance; `struct_name` is null or a string of C.
 */
void mm_inst_print_memory_usage(struct mm_instance_ *instance, const char *struct_name);

/**
 * Prints one line for each family of the instance to `stdout`.
 *
 * # Safety
 *
 * `instance` is null or an instance.
 */
void mm_inst_print_block_usage(struct mm_instance_ *instance);

/**
 * Prints the same for the instance's buffers.
 *
 * # Safety
 *
 * `instance` is null or an instance.
 */
void mm_inst_print_variable_buffers(struct mm_instance_ *instance);

/**
 * Releases a block or a buffer, if it is of this instance; else it gets a line on standard error, and
 * nothing changes.
 *
 * # Safety
 *
 * `instance` is null or an instance. Nobody uses the block, and no other thread releases it at the
 * same time.
 */
void mm_inst_xfree(struct mm_instance_ *instance,
                   void *block);

/**
 * Does nothing: mm needs no start. Programs may call it any number of times, or never.
 */
void mm_uapi_init(void);

/**
 * Registers a family of structs of `struct_size` bytes.
 *
 * A name that is taken, an empty one, or a size of 0 get a line on standard error, and change nothing.
 *
 * # Safety
 *
 * `struct_name` is null or a string of C.
 */
void mm_uapi_instantiate_new_page_family(const char *struct_name,
                                         uint32_t struct_size);

/**
 * As `mm_instantiate_new_page_family`, for `MM_REG_STRUCT`, which knows its place in the source.
 *
 * # Safety
 *
 * `struct_name` and `file` are null or strings of C.
 */
void mm_uapi_register_at(const char *struct_name,
                         size_t struct_size,
                         const char *file,
                         uint32_t line);

/**
 * Allocates a block of `units` zeroed units of the family of this name.
 *
 * `NULL`, and a line on standard error, if there is no such family, `units` is negative, or there is
 * no memory. A block of 0 units has no memory, and may be released.
 *
 * # Safety
 *
 * `struct_name` is null or a string of C.
 */
void *mm_uapi_xcalloc(const char *struct_name,
                      int units);

/**
 * As `xcalloc`, for `XCALLOC`: the name is looked up the first time only.
 *
 * # Safety
 *
 * `XCALLOC` made the site.
 */
void *mm_uapi_xcalloc_at(struct mm_site *site, int64_t units);

/**
 * Allocates a zeroed buffer of `bytes` bytes, aligned to 16, of the family of plain bytes.
 *
 * `NULL`, and a line on standard error, if there is no memory.
 */
void *mm_uapi_xcalloc_buff(uint32_t bytes);

/**
 * As `xcalloc_buff`, for `XCALLOC_BUFF`, which knows its place in the source.
 *
 * # Safety
 *
 * `file` is null or a string of C.
 */
void *mm_uapi_xcalloc_buff_at(size_t bytes, const char *file, uint32_t line);

/**
 * Releases a block or a buffer, of any instance. `NULL` is none.
 *
 * A pointer that is no block of mm, or does not point to its start, gets a line on standard error,
 * and nothing changes. A second release gets a line, and ends the process by `abort`.
 *
 * # Safety
 *
 * Nobody uses the block, and no other thread releases it at the same time.
 */
void mm_uapi_xfree(void *block);

/**
 * As `xfree`, for `XFREE`, which knows its place in the source.
 *
 * # Safety
 *
 * As for `xfree`, and `file` is null or a string of C.
 */
void mm_uapi_xfree_at(void *block, const char *file, uint32_t line);

/**
 * Makes a block longer or shorter: to `bytes` bytes, rounded up to whole units of its family. Its
 * contents move along, and what is new is zeroed.
 *
 * Of `NULL` it makes a buffer; with 0 bytes it releases the block and returns `NULL`. Without memory
 * it returns `NULL`, with a line on standard error, and the block stays as it is.
 *
 * # Safety
 *
 * As for `xfree`.
 */
void *mm_uapi_xrealloc(void *block,
                       size_t bytes);

/**
 * Returns the family of exactly this name, or `NULL`.
 *
 * # Safety
 *
 * `struct_name` is null or a string of C.
 */
struct vm_page_family_ *mm_uapi_lookup_page_family_by_name(const char *struct_name);

/**
 * Prints each registered family, with the bytes of its struct, to `stdout`.
 */
void mm_uapi_print_registered_page_families(void);

/**
 * Prints each VM page and each block of the family of exactly this name, or of all for `NULL`, to
 * `stdout`.
 *
 * # Safety
 *
 * `struct_name` is null or a string of C.
 */
void mm_uapi_print_memory_usage(const char *struct_name);

/**
 * Prints one line for each family to `stdout`: its blocks in all (`TBC`), free ones (`FBC`), live ones
 * (`OBC`), and bytes of the live ones.
 */
void mm_uapi_print_block_usage(void);

/**
 * Prints the same for buffers.
 */
void mm_uapi_print_variable_buffers(void);

#ifdef __cplusplus
}
#endif

#endif /* MM_API_H */
