// The disk itself: files, names and what of them is durable.
#ifndef STOCKGATE_FAULT_DISK_H
#define STOCKGATE_FAULT_DISK_H

#include <stddef.h>
#include "FaultVFS.h"

typedef struct {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
} fault_content;

/// A write, or a truncation when there are no bytes.
typedef struct {
    size_t offset;
    size_t length;
    uint8_t *bytes;
    /// The size of the file afterwards.
    size_t size;
} fault_change;

typedef struct {
    int users;
    uint8_t **regions;
    int count;
    int size;
    /// Per slot: the number of shared holders, -1 for an exclusive one.
    int holders[8];
} fault_share;

typedef struct fault_inode {
    /// Names, durable names and open files.
    int users;
    fault_content seen;
    fault_content durable;
    fault_change *changes;
    size_t change_count;
    size_t change_capacity;
    /// Like SQLite's own VFS: the first sync of a new journal or WAL syncs the directory too.
    bool syncs_directory;
    fault_share *share;
    int shared_locks;
    const void *reserved_by;
    const void *pending_by;
    const void *exclusive_by;
} fault_inode;

typedef struct {
    char *path;
    fault_inode *current;
    fault_inode *durable;
} fault_name;

struct fault_disk {
    struct fault_disk *next;
    char *folder;
    size_t folder_length;
    uint64_t random;
    /// Open files of an earlier generation are dead.
    uint64_t generation;
    uint64_t stop_before;
    bool is_stopped;
    int64_t taken;
    /// The space that there is; negative: without end.
    int64_t capacity;
    struct {
        bool is_set;
        uint32_t after;
        uint32_t times;
    } plans[FAULT_KINDS];
    fault_name *names;
    size_t name_count;
    size_t name_capacity;
    fault_counts counts;
};

/// Counts one operation. Returns 0, -1 when the machine stands still, 1 when the operation is to fail.
int fault_begin(fault_disk *disk, fault_kind kind);
uint64_t fault_random(fault_disk *disk);
int64_t fault_used(const fault_disk *disk);
/// Whether so many further bytes fit.
bool fault_fits(fault_disk *disk, int64_t bytes);
fault_name *fault_find(fault_disk *disk, const char *path);
/// Makes a file under a name that is not in use.
fault_inode *fault_make(fault_disk *disk, const char *path);
void fault_unlink(fault_name *name);
void fault_retain(fault_inode *inode);
void fault_release(fault_inode *inode);
/// Returns false when there is no memory.
bool fault_write(fault_inode *inode, const void *bytes, size_t length, size_t offset);
bool fault_truncate(fault_inode *inode, size_t size);
void fault_sync(fault_inode *inode);
/// A sync that answers with an error: each sector may have come to the disk or not, and is not tried again.
void fault_sync_partly(fault_disk *disk, fault_inode *inode);
void fault_release_share(fault_share *share);

#endif
