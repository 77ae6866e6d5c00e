/* The C interface of mm. New programs include mm_families.h. Programs that were written for the
 * library that mm grew out of include uapi_mm.h or uapi_mm_instance.h, which map its names to the
 * functions here.
 *
 * Any thread may call any function. In the comments:
 *
 * - A unit is one struct. A block is an array of units from one allocation call. A page family is
 *   the memory of one struct type; VM pages of its own hold its units.
 * - A function whose name begins with mm_uapi or mm_inst prints one line on standard error if it
 *   fails, and returns NULL if it returns a pointer. Any other function that fails changes nothing
 *   and prints nothing. It returns a status, or NULL or 0 in place of a result; mm_last_status and
 *   mm_last_error then say why.
 * - "# Safety" lists what the caller must ensure. If it does not, the behaviour is undefined. A C
 *   string ends with a zero byte and does not change during the call. A handle from mm is a pointer
 *   that a function of mm returned or passed to a callback.
 *
 * cbindgen makes this file from mm/src/capi. Change it there. */

#ifndef MM_API_H
#define MM_API_H

/* Suppresses warnings about this generated file: a comma ends each enumeration, and in C++ a
 * function has the name of a struct. */
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The version of `struct mm_stats` and `struct mm_family_stats`. Later versions have more fields at
 * the end.
 */
#define MM_STATS_VERSION 1

/**
 * The value of a figure that the system does not report. It stands for resident bytes where the kernel
 * is not asked or refuses to answer.
 */
#define MM_NOT_MEASURED UINT64_MAX

/**
 * The result of a call. The numbers stay the same; later versions may add some.
 */
enum mm_status {
  /**
   * The call succeeded.
   */
  MM_OK = 0,
  /**
   * An argument is invalid: a required pointer is `NULL`, a number is out of range, or a name is
   * empty or not UTF-8.
   */
  MM_BAD_ARGUMENT = 1,
  /**
   * The kernel has no more memory for the process.
   */
  MM_OUT_OF_MEMORY = 2,
  /**
   * The number of units is larger than any block can be.
   */
  MM_SIZE_OVERFLOW = 3,
  /**
   * The family, or its limit group, would exceed its limit.
   */
  MM_OVER_LIMIT = 4,
  /**
   * The address belongs to no page family.
   */
  MM_FOREIGN = 5,
  /**
   * The address lies in the memory of a page family, but no block starts there.
   */
  MM_INTERIOR = 6,
  /**
   * No live block is at the address: it was released already, or never handed out.
   */
  MM_NOT_LIVE = 7,
  /**
   * The block belongs to another family than the given one.
   */
  MM_WRONG_FAMILY = 8,
  /**
   * A family with this name is registered already.
   */
  MM_DUPLICATE_NAME = 9,
  /**
   * The size or the alignment is invalid, or differs from that of the family.
   */
  MM_BAD_LAYOUT = 10,
  /**
   * No family has this name or path.
   */
  MM_UNKNOWN_NAME = 11,
  /**
   * Several families have this name. Use a path or a key instead.
   */
  MM_AMBIGUOUS_NAME = 12,
  /**
   * A figure differs from the one derived from the pages: mm's records are damaged.
   */
  MM_INCONSISTENT = 13,
};

/**
 * A page family: the memory and the figures of one type. Each managed type of Rust has one, and so has
 * each struct that a C program registers, through this interface or another.
 *
 * A family stays until the process ends.
 */
struct mm_family;

/**
 * An instance: a set of families with names of its own. It and its families stay until the process
 * ends.
 */
struct mm_instance_;

/**
 * A group of families that share a limit on the sum of their live memory.
 */
struct mm_limit_group;

/**
 * Totals of all families, and figures of the process.
 *
 * The caller sets `size` and `version`; `MM_STATS_INIT` does that. The library writes no more than
 * `size` bytes. A program with an older header gets the fields that it knows. In a program with a
 * newer header than the library, the fields that the library does not know become 0.
 */
struct mm_stats {
  /**
   * Set by the caller: `sizeof(struct mm_stats)`.
   */
  size_t size;
  /**
   * Set by the caller: `MM_STATS_VERSION`. The library puts the version there that it filled in: its
   * own, if that is older.
   */
  uint32_t version;
  /**
   * 1 if `resident_bytes` and `records_resident_bytes` are known, as is `resident_bytes` of each
   * family; 0 if one of those is `MM_NOT_MEASURED`.
   */
  uint32_t resident_is_measured;
  /**
   * Page families.
   */
  uint64_t families;
  /**
   * Bytes of one OS page.
   */
  uint64_t os_page_bytes;
  /**
   * Resident bytes of the whole process; `MM_NOT_MEASURED` where the system does not say.
   */
  uint64_t process_resident_bytes;
  /**
   * Resident bytes of mm's own maps, records and tables, or `MM_NOT_MEASURED`.
   */
  uint64_t records_resident_bytes;
  /**
   * VM pages in use: those that may be backed by memory.
   */
  uint64_t vm_pages;
  /**
   * Bytes of address space in use by VM pages.
   */
  uint64_t mapped_bytes;
  /**
   * Bytes of VM pages that are backed by memory, or `MM_NOT_MEASURED`.
   */
  uint64_t resident_bytes;
  /**
   * Blocks handed out and not released.
   */
  uint64_t live_blocks;
  /**
   * Units of the live blocks, whatever their sizes.
   */
  uint64_t live_units;
  /**
   * Bytes of the live units.
   */
  uint64_t live_bytes;
  /**
   * Units in threads' caches, whatever their sizes.
   */
  uint64_t cached_units;
  /**
   * Bytes of the units in threads' caches.
   */
  uint64_t cached_bytes;
  /**
   * Blocks handed out since start.
   */
  uint64_t blocks_allocated;
  /**
   * Blocks released since start.
   */
  uint64_t blocks_released;
  /**
   * Calls into the kernel for families' memory since start.
   */
  uint64_t kernel_calls;
  /**
   * Bytes that `mm_trim` would return now. Locked memory counts until the kernel refused to take it.
   */
  uint64_t reclaimable_bytes;
};

/**
 * Figures of one family. `size` and `version` are as in `struct mm_stats`; `MM_FAMILY_STATS_INIT` sets
 * them.
 */
struct mm_family_stats {
  /**
   * Set by the caller: `sizeof(struct mm_family_stats)`.
   */
  size_t size;
  /**
   * Set by the caller: `MM_STATS_VERSION`. The library puts the version there that it filled in: its
   * own, if that is older.
   */
  uint32_t version;
  /**
   * 1 if the family was registered while the program ran; 0 if it is that of a type of Rust.
   */
  uint32_t run_time;
  /**
   * Bytes of one unit.
   */
  uint64_t unit_size;
  /**
   * Alignment of a unit, in bytes.
   */
  uint64_t unit_align;
  /**
   * Units that fit into one VM page; 0 when units have no size, 1 when a unit is larger.
   */
  uint64_t units_per_page;
  /**
   * VM pages in use. Units were taken from them since they were made or given back.
   */
  uint64_t vm_pages;
  /**
   * Bytes of address space in use by VM pages.
   */
  uint64_t mapped_bytes;
  /**
   * Bytes of VM pages that are backed by memory. `MM_NOT_MEASURED` if the kernel does not report all of
   * them.
   */
  uint64_t resident_bytes;
  /**
   * Blocks handed out and not released.
   */
  uint64_t live_blocks;
  /**
   * Units of the live blocks.
   */
  uint64_t live_units;
  /**
   * Bytes of the live units.
   */
  uint64_t live_bytes;
  /**
   * Maximal runs of free units inside VM pages in use.
   */
  uint64_t free_blocks;
  /**
   * Units of the free blocks.
   */
  uint64_t free_units;
  /**
   * Units in the caches of threads, neither live nor free.
   */
  uint64_t cached_units;
  /**
   * Highest number of live bytes seen, to within one cache per thread.
   */
  uint64_t peak_live_bytes;
  /**
   * Blocks handed out since the start of the process.
   */
  uint64_t blocks_allocated;
  /**
   * Blocks released since the start of the process.
   */
  uint64_t blocks_released;
  /**
   * Calls into the kernel for the memory of the family since the start of the process.
   */
  uint64_t kernel_calls;
  /**
   * Units of the largest free block. 0 if there is none.
   */
  uint64_t largest_free_block;
  /**
   * Bytes that a trim would give back to the system now. As in `struct mm_stats`.
   */
  uint64_t reclaimable_bytes;
  /**
   * Units that fit into the first VM page of the family. Always equal to `units_per_page`.
   */
  uint64_t first_page_units;
  /**
   * Bytes that the program requested for the live units.
   */
  uint64_t requested_bytes;
};

/**
 * A function that mm calls when a family exceeds its soft limit. `context` is the pointer that was
 * passed with it.
 */
typedef void (*mm_soft_limit_call)(struct mm_family *family, void *context);

/**
 * The part of a page family that a program can read.
 */
struct vm_page_family_ {
  /**
   * The whole name, which may have any length.
   */
  const char *struct_name;
  /**
   * Size of one unit in bytes, at most `UINT32_MAX`.
   */
  uint32_t struct_size;
};

/**
 * One line of a program that allocates. The macro `XCALLOC` makes it; programs do not use it
 * themselves.
 *
 * It remembers the family, so that only the first call looks up the name.
 */
struct mm_site {
  /**
   * The family if it was found and has a fast path; null at the start.
   */
  struct vm_page_family_ *fast_family;
  /**
   * The family if it was found; null at the start.
   */
  struct vm_page_family_ *family;
  /**
   * Name of the struct.
   */
  const char *name;
  /**
   * Name of the source file.
   */
  const char *file;
  /**
   * Line in the source file, from 1.
   */
  uint32_t line;
  /**
   * Size of the struct in bytes as this line knows it, at most `UINT32_MAX`; 0 if it is unknown.
   */
  uint32_t struct_size;
};

/**
 * Returns the meaning of a status in a few words. The text stays valid for ever.
 *
 * For a number that is no status, the text says so.
 */
const char *mm_status_text(int status);

/**
 * Returns the status of the calling thread's last failed call; `MM_OK` if none failed. Calls that
 * succeed leave it unchanged, as they do with `errno`.
 */
enum mm_status mm_last_status(void);

/**
 * Writes a sentence to `text` that says why the calling thread's last failed call failed. It names the
 * family. If no call failed, the text is empty.
 *
 * `room` is the size of the buffer `text` in bytes. As with `snprintf`, a sentence that is too long is
 * cut, a zero byte ends it in any case, and the result is the length of the whole sentence. If `text`
 * is `NULL`, nothing is written.
 *
 * # Safety
 *
 * 1. `text` is null, or `room` bytes can be written there.
 */
size_t mm_last_error(char *text,
                     size_t room);

/**
 * Registers a page family whose units have `size` bytes and are aligned to `align` bytes. If `align`
 * is 0, mm uses the largest alignment that a struct of this size can have.
 *
 * Returns `NULL` on failure:
 * - `MM_BAD_ARGUMENT`: the name is `NULL`, empty or not UTF-8.
 * - `MM_DUPLICATE_NAME`: another family has the name.
 * - `MM_BAD_LAYOUT`: the size is 0, or the alignment is no power of 2.
 * - `MM_OUT_OF_MEMORY`.
 *
 * # Safety
 *
 * 1. `name` is null or a C string.
 */
struct mm_family *mm_family_register(const char *name,
                                     size_t size,
                                     size_t align);

/**
 * Does what `mm_family_register` does. `MM_REGISTER` calls it with its file and line, which become the
 * family's place of definition.
 *
 * # Safety
 *
 * 1. `name` is null or a C string.
 * 2. `file` is null or a C string.
 */
struct mm_family *mm_family_register_at(const char *name,
                                        size_t size,
                                        size_t align,
                                        const char *file,
                                        uint32_t line);

/**
 * Returns the family with this key, this path or this name, whichever is found first in that order.
 *
 * If no family has it, the text may be the end of one family's path, in whole parts: `b::Node` finds
 * `a::b::Node`.
 *
 * Returns `NULL` on failure:
 * - `MM_UNKNOWN_NAME`: no family matches.
 * - `MM_AMBIGUOUS_NAME`: several families match, such as types of the same name in several modules.
 * - `MM_BAD_ARGUMENT`: the text is `NULL`, empty or not UTF-8.
 *
 * # Safety
 *
 * 1. `name_or_path` is null or a C string.
 */
struct mm_family *mm_family_find(const char *name_or_path);

/**
 * Writes the handles of all families to the array `out` of `room` entries, sorted by path, and returns
 * the number of families.
 *
 * If there are more families than entries, the rest is left out. If `out` is `NULL`, nothing is
 * written.
 *
 * # Safety
 *
 * 1. `out` is null, or `room` handles can be written there.
 */
size_t mm_families(struct mm_family **out,
                   size_t room);

/**
 * Returns the family's short name. The text stays valid for ever.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
const char *mm_family_name(const struct mm_family *family);

/**
 * Returns the full path of the family's type. The text stays valid for ever.
 *
 * A family that was registered at run time has its name as path. In an instance of
 * `uapi_mm_instance.h`, the path also says which instance it is in.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
const char *mm_family_path(const struct mm_family *family);

/**
 * Returns the family's key, which no other family has: its path and the place of its definition, as in
 * `struct emp (emp.c:17)`. The text stays valid for ever, and `mm_family_find` finds the family by it.
 *
 * If families share path and place, the key of the second that mm met ends with ` #2`, and so on.
 * Invisible and control characters are escaped. A `~` precedes text in a path or file name that would
 * look like the next part of the key.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
const char *mm_family_key(const struct mm_family *family);

/**
 * Returns the size of one unit in bytes, rounded up to the alignment; 0 if `family` is `NULL`.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
size_t mm_family_unit_size(const struct mm_family *family);

/**
 * Returns the alignment of a unit in bytes; 0 if `family` is `NULL`.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
size_t mm_family_unit_align(const struct mm_family *family);

/**
 * Allocates a block of `units` units. Its contents are unspecified.
 *
 * Returns `NULL` on failure: `MM_SIZE_OVERFLOW`, `MM_OUT_OF_MEMORY`, `MM_OVER_LIMIT`, or
 * `MM_BAD_ARGUMENT` if `family` is `NULL`. A block of 0 units is not `NULL`; it has no memory and may
 * be released.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
void *mm_family_alloc(struct mm_family *family,
                      size_t units);

/**
 * Allocates a block of `units` units whose bytes are all zero. It fails as `mm_family_alloc` does.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
void *mm_family_alloc_zeroed(struct mm_family *family, size_t units);

/**
 * Does what `mm_family_alloc` does. `MM_ALLOC` calls it with its file and line, which reports of leaks
 * then name.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 * 2. `file` is null or a C string.
 */
void *mm_family_alloc_at(struct mm_family *family,
                         size_t units,
                         const char *file,
                         uint32_t line);

/**
 * Does what `mm_family_alloc_zeroed` does. `MM_ALLOC_ZEROED` calls it with its file and line.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 * 2. `file` is null or a C string.
 */
void *mm_family_alloc_zeroed_at(struct mm_family *family,
                                size_t units,
                                const char *file,
                                uint32_t line);

/**
 * Does what `mm_family_alloc_at` does, after a comparison of layouts. `MM_ALLOC_OF` calls it with the
 * size and alignment of its type.
 *
 * Fails with `MM_BAD_LAYOUT` unless the family's units have `size` bytes and are aligned to at least
 * `align` bytes. An `align` of 0 is not compared.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 * 2. `file` is null or a C string.
 */
void *mm_family_alloc_of_at(struct mm_family *family,
                            size_t units,
                            size_t size,
                            size_t align,
                            const char *file,
                            uint32_t line);

/**
 * Does what `mm_family_alloc_of_at` does and returns a block whose bytes are all zero.
 * `MM_ALLOC_ZEROED_OF` calls it.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 * 2. `file` is null or a C string.
 */
void *mm_family_alloc_zeroed_of_at(struct mm_family *family,
                                   size_t units,
                                   size_t size,
                                   size_t align,
                                   const char *file,
                                   uint32_t line);

/**
 * Releases a block of any family. For `NULL` it does nothing.
 *
 * Fails with `MM_FOREIGN`, `MM_INTERIOR` or `MM_NOT_LIVE`; then nothing changes. A second release is
 * found until the memory is handed out again, unless the program wrote to the block after its release.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No Rust value owns the block.
 * 3. No other thread releases the block at the same time.
 */
enum mm_status mm_release(void *block);

/**
 * Releases a block of this family. For a block of another family it fails with `MM_WRONG_FAMILY`; in
 * all other respects it acts as `mm_release`.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No Rust value owns the block.
 * 3. No other thread releases the block at the same time.
 * 4. `family` is null or a handle from mm.
 */
enum mm_status mm_family_release(struct mm_family *family,
                                 void *block);

/**
 * Returns the size in bytes of the live block that starts at `block`; 0 for a block of 0 units and for
 * `NULL`.
 *
 * If no live block starts there, it returns 0 and fails as `mm_release` does.
 */
size_t mm_block_bytes(const void *block);

/**
 * Returns the family of the live block that starts at `block`; `NULL` for a block of 0 units and for
 * `NULL`.
 *
 * If no live block starts there, it returns `NULL` and fails as `mm_release` does.
 */
struct mm_family *mm_block_family(const void *block);

/**
 * Fills in the totals of all families. They are exact while no other thread allocates or releases.
 *
 * Fails with `MM_BAD_ARGUMENT` if `stats` is `NULL`, `size` does not include `version`, or `version`
 * is 0.
 *
 * # Safety
 *
 * 1. `stats` is null, or `stats->size` is set and that many bytes can be read and written there. If
 *    they include `version`, it is set, too.
 */
enum mm_status mm_stats(struct mm_stats *stats);

/**
 * Fills in the figures of one family. It fails as `mm_stats` does, and if `family` is `NULL`.
 *
 * # Safety
 *
 * 1. `stats` is null, or `stats->size` is set and that many bytes can be read and written there. If
 *    they include `version`, it is set, too.
 * 2. `family` is null or a handle from mm.
 */
enum mm_status mm_family_stats(const struct mm_family *family, struct mm_family_stats *stats);

/**
 * Returns all figures of all families as JSON. `mm/schemas/snapshot.schema.json` describes it. Release
 * the text with `mm_text_release`.
 */
char *mm_snapshot_json(void);

/**
 * Returns the live memory of each family and its call sites as JSON. `mm/schemas/profile.schema.json`
 * describes it. Release the text with `mm_text_release`.
 */
char *mm_profile_json(void);

/**
 * Returns a report of leaks for people: the live blocks of each family, and the call sites that
 * `mm_track` recorded. The text is empty if nothing is live. Release it with `mm_text_release`.
 */
char *mm_leaks_text(void);

/**
 * Returns all figures in the OpenMetrics format, for Prometheus and similar tools. Release the text
 * with `mm_text_release`.
 */
char *mm_openmetrics(void);

/**
 * Releases a text that mm returned. For `NULL` it does nothing.
 *
 * # Safety
 *
 * 1. `text` is null, or one of the functions above returned it.
 * 2. The program does not use the text any more.
 */
void mm_text_release(char *text);

/**
 * Prints the text of `mm_leaks_text` and a line end to `stdout`. Prints nothing if nothing is live.
 */
void mm_print_leaks(void);

/**
 * Records call site, thread and time of one allocation in `sample_interval`, in each family. Reports
 * of leaks then show them.
 *
 * 1 records all allocations. 0 stops recording and discards what was recorded. While a family is
 * tracked, each of its allocations and releases takes a lock.
 */
void mm_track(uint32_t sample_interval);

/**
 * Does what `mm_track` does, for one family.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
enum mm_status mm_family_track(struct mm_family *family, uint32_t sample_interval);

/**
 * Makes the process report leaks to standard error when it ends. If nothing is live, it prints
 * nothing.
 *
 * If `exit_code` is not 0, a process that leaks and would end with status 0 ends with that code.
 * Functions that were registered with `atexit` earlier are then not called.
 *
 * Fails with `MM_BAD_ARGUMENT` if `exit_code` is not from 0 to 255.
 */
enum mm_status mm_report_leaks_at_exit(int exit_code);

/**
 * Returns unused memory to the kernel. The result is the number of bytes returned, in whole OS pages.
 *
 * Other threads flush their caches at their next call; a later `mm_trim` returns that memory.
 */
size_t mm_trim(void);

/**
 * Walks all VM pages and caches, derives all figures again, and compares them. The result is exact
 * while no other thread allocates or releases. The time grows with the heap.
 *
 * Returns `MM_INCONSISTENT` if figures differ; `mm_last_error` then says which.
 */
enum mm_status mm_check(void);

/**
 * Limits the live units of a family to as many as fit into `bytes` bytes. An allocation that would
 * exceed the limit fails with `MM_OVER_LIMIT`. Blocks that are live already stay live, even if they
 * exceed it.
 *
 * While a family has a limit, each of its allocations and releases takes a lock.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
enum mm_status mm_family_set_limit_bytes(struct mm_family *family, uint64_t bytes);

/**
 * Limits the live units of a family to `units`. In all other respects it acts as
 * `mm_family_set_limit_bytes`.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
enum mm_status mm_family_set_limit_units(struct mm_family *family, uint64_t units);

/**
 * Removes the limit of a family. Limit groups and soft limits stay.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
enum mm_status mm_family_clear_limit(struct mm_family *family);

/**
 * Returns the limit of a family in units; `UINT64_MAX` if it has none, and 0 if `family` is `NULL`.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
uint64_t mm_family_limit_units(const struct mm_family *family);

/**
 * Sets a soft limit: mm calls `call` each time the live units of a family rise above `bytes` bytes.
 * The thread whose allocation crosses the limit makes the call before that allocation returns.
 *
 * `call` may use mm and must return. It replaces the soft limit before. Another thread may still be
 * running the function of that one, so whatever its `context` points to has to stay.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 * 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
 */
enum mm_status mm_family_set_soft_limit_bytes(struct mm_family *family,
                                              uint64_t bytes,
                                              mm_soft_limit_call call,
                                              void *context);

/**
 * Does what `mm_family_set_soft_limit_bytes` does, for a limit of `units` units.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 * 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
 */
enum mm_status mm_family_set_soft_limit_units(struct mm_family *family,
                                              uint64_t units,
                                              mm_soft_limit_call call,
                                              void *context);

/**
 * Removes the soft limit of a family.
 *
 * # Safety
 *
 * 1. `family` is null or a handle from mm.
 */
enum mm_status mm_family_clear_soft_limit(struct mm_family *family);

/**
 * Makes an empty group with a limit of `bytes` bytes of live units. It stays until the process ends.
 *
 * Returns `NULL` on failure: `MM_OUT_OF_MEMORY`.
 */
struct mm_limit_group *mm_limit_group_new(uint64_t bytes);

/**
 * Moves a family and its live units into the group, out of the group that it was in.
 *
 * # Safety
 *
 * 1. `group` is null or a handle from mm.
 * 2. `family` is null or a handle from mm.
 */
enum mm_status mm_limit_group_add(struct mm_limit_group *group, struct mm_family *family);

/**
 * Takes a family out of the group. Does nothing if the family is not in it.
 *
 * # Safety
 *
 * 1. `group` is null or a handle from mm.
 * 2. `family` is null or a handle from mm.
 */
enum mm_status mm_limit_group_remove(struct mm_limit_group *group, struct mm_family *family);

/**
 * Sets the limit of the group in bytes. It applies to each call that begins after this one returns.
 *
 * # Safety
 *
 * 1. `group` is null or a handle from mm.
 */
enum mm_status mm_limit_group_set_bytes(struct mm_limit_group *group, uint64_t bytes);

/**
 * Returns the live bytes of all families in the group; 0 if `group` is `NULL`.
 *
 * # Safety
 *
 * 1. `group` is null or a handle from mm.
 */
uint64_t mm_limit_group_live_bytes(const struct mm_limit_group *group);

/**
 * Makes an instance: an empty set of families, which stays until the process ends.
 *
 * Returns `NULL` and prints a line on standard error if there is no memory.
 */
struct mm_instance_ *mm_inst_init_new_instance(void);

/**
 * Registers a page family for structs of `struct_size` bytes in the instance. `NULL` is the global
 * instance.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a C string.
 */
void mm_inst_instantiate_new_page_family(struct mm_instance_ *instance,
                                         const char *struct_name,
                                         uint32_t struct_size);

/**
 * Does what `mm_instantiate_new_page_family` does. `MM_REG_STRUCT` calls it with its file and line.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a C string.
 * 3. `file` is null or a C string.
 */
void mm_inst_register_at(struct mm_instance_ *instance,
                         const char *struct_name,
                         size_t struct_size,
                         const char *file,
                         uint32_t line);

/**
 * Allocates a block of `units` zeroed units of the instance's family with this name.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a C string.
 */
void *mm_inst_xcalloc(struct mm_instance_ *instance, const char *struct_name, int units);

/**
 * Does what `xcalloc` does. `XCALLOC` calls it, and only the first call of a line looks up the name.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `XCALLOC` made the site.
 */
void *mm_inst_xcalloc_at(struct mm_instance_ *instance,
                         struct mm_site *site,
                         int64_t units);

/**
 * Does what `xcalloc` does. `XCALLOC` calls it with its file and line if the compiler cannot make
 * sites.
 *
 * `struct_size` is the size of the struct in bytes as the caller knows it; 0 if it is unknown.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a C string.
 * 3. `file` is null or a C string.
 */
void *mm_inst_xcalloc_sized(struct mm_instance_ *instance,
                            const char *struct_name,
                            size_t struct_size,
                            int64_t units,
                            const char *file,
                            uint32_t line);

/**
 * Allocates a zeroed buffer of `bytes` bytes, aligned to 16 bytes, in the instance. Buffers have a
 * family of their own.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void *mm_inst_xcalloc_buff(struct mm_instance_ *instance, uint32_t bytes);

/**
 * Does what `xcalloc_buff` does. `XCALLOC_BUFF` calls it with its file and line.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `file` is null or a C string.
 */
void *mm_inst_xcalloc_buff_at(struct mm_instance_ *instance,
                              size_t bytes,
                              const char *file,
                              uint32_t line);

/**
 * Returns the instance's family with exactly this name, or `NULL`.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a C string.
 */
struct vm_page_family_ *mm_inst_lookup_page_family_by_name(struct mm_instance_ *instance,
                                                           const char *struct_name);

/**
 * Prints each family of the instance and the size of its struct in bytes to `stdout`.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void mm_inst_print_registered_page_families(struct mm_instance_ *instance);

/**
 * Prints each VM page and each block of the instance's family with exactly this name to `stdout`; for
 * `NULL`, those of all its families.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a C string.
 */
void mm_inst_print_memory_usage(struct mm_instance_ *instance,
                                const char *struct_name);

/**
 * Prints one line for each family of the instance to `stdout`: the number of all blocks (`TBC`), free
 * blocks (`FBC`) and live blocks (`OBC`), and the bytes of the live blocks (`AppMemUsage`).
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void mm_inst_print_block_usage(struct mm_instance_ *instance);

/**
 * Prints the line of `mm_print_block_usage` for the instance's buffers.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void mm_inst_print_variable_buffers(struct mm_instance_ *instance);

/**
 * Releases a block or a buffer of this instance. For one of another instance it prints a line on
 * standard error and changes nothing.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. The program does not use the block any more.
 * 3. No other thread releases the block at the same time.
 */
void mm_inst_xfree(struct mm_instance_ *instance, void *block);

/**
 * Does what `xfree_inst` does. `XFREE_INST` calls it with its file and line.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. The program does not use the block any more.
 * 3. No other thread releases the block at the same time.
 * 4. `file` is null or a C string.
 */
void mm_inst_xfree_at(struct mm_instance_ *instance, void *block, const char *file, uint32_t line);

/**
 * Does nothing: mm needs no initialisation. Programs may call it any number of times, or never.
 */
void mm_uapi_init(void);

/**
 * Registers a page family for structs of `struct_size` bytes.
 *
 * If the name is taken or empty, or the size is 0, it prints a line on standard error and changes
 * nothing.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a C string.
 */
void mm_uapi_instantiate_new_page_family(const char *struct_name, uint32_t struct_size);

/**
 * Does what `mm_instantiate_new_page_family` does. `MM_REG_STRUCT` calls it with its file and line.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a C string.
 * 2. `file` is null or a C string.
 */
void mm_uapi_register_at(const char *struct_name,
                         size_t struct_size,
                         const char *file,
                         uint32_t line);

/**
 * Allocates a block of `units` zeroed units of the family with this name.
 *
 * Returns `NULL` and prints a line on standard error if there is no such family, `units` is negative,
 * or there is no memory. A block of 0 units is not `NULL`; it has no memory and may be released.
 *
 * It gets no size, so it cannot detect that two source files have different structs of this name.
 * `XCALLOC` can.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a C string.
 */
void *mm_uapi_xcalloc(const char *struct_name,
                      int units);

/**
 * Does what `xcalloc` does. `XCALLOC` calls it, and only the first call of a line looks up the name.
 *
 * # Safety
 *
 * 1. `XCALLOC` made the site.
 */
void *mm_uapi_xcalloc_at(struct mm_site *site,
                         int64_t units);

/**
 * Does what `xcalloc` does. `XCALLOC` calls it with its file and line if the compiler cannot make
 * sites.
 *
 * `struct_size` is the size of the struct in bytes as the caller knows it; 0 if it is unknown.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a C string.
 * 2. `file` is null or a C string.
 */
void *mm_uapi_xcalloc_sized(const char *struct_name,
                            size_t struct_size,
                            int64_t units,
                            const char *file,
                            uint32_t line);

/**
 * Allocates a zeroed buffer of `bytes` bytes, aligned to 16 bytes. Buffers have a family of their own.
 *
 * Returns `NULL` and prints a line on standard error if there is no memory.
 */
void *mm_uapi_xcalloc_buff(uint32_t bytes);

/**
 * Does what `xcalloc_buff` does. `XCALLOC_BUFF` calls it with its file and line.
 *
 * # Safety
 *
 * 1. `file` is null or a C string.
 */
void *mm_uapi_xcalloc_buff_at(size_t bytes, const char *file, uint32_t line);

/**
 * Releases a block or a buffer of any instance. For `NULL` it does nothing.
 *
 * For a pointer that is not mm's, or that points into a block, it prints a line on standard error and
 * changes nothing. After a second release it prints a line and calls `abort`.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No other thread releases the block at the same time.
 */
void mm_uapi_xfree(void *block);

/**
 * Does what `xfree` does. `XFREE` calls it with its file and line.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No other thread releases the block at the same time.
 * 3. `file` is null or a C string.
 */
void mm_uapi_xfree_at(void *block, const char *file, uint32_t line);

/**
 * Resizes a block to `bytes` bytes, rounded up to whole units of its family. The contents are kept,
 * and new bytes are zero.
 *
 * For `NULL` and for a block of 0 units, which belongs to no family, it allocates a buffer of the
 * global instance. If `bytes` is 0, it releases the block and returns `NULL`. If there is no memory,
 * it returns `NULL`, prints a line on standard error, and the block stays as it is.
 *
 * # Safety
 *
 * 1. The program does not use the old block any more, unless the call fails. It may use the returned
 *    one.
 * 2. No other thread releases the block at the same time.
 */
void *mm_uapi_xrealloc(void *block,
                       size_t bytes);

/**
 * Returns the family with exactly this name, or `NULL`.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a C string.
 */
struct vm_page_family_ *mm_uapi_lookup_page_family_by_name(const char *struct_name);

/**
 * Prints each registered family and the size of its struct in bytes to `stdout`.
 */
void mm_uapi_print_registered_page_families(void);

/**
 * Prints each VM page and each block of the family with exactly this name to `stdout`; for `NULL`,
 * those of all families.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a C string.
 */
void mm_uapi_print_memory_usage(const char *struct_name);

/**
 * Prints one line for each family to `stdout`: the number of all blocks (`TBC`), free blocks (`FBC`)
 * and live blocks (`OBC`), and the bytes of the live blocks (`AppMemUsage`).
 */
void mm_uapi_print_block_usage(void);

/**
 * Prints the line of `mm_print_block_usage` for buffers.
 */
void mm_uapi_print_variable_buffers(void);

#ifdef __cplusplus
}
#endif

#endif /* MM_API_H */
