// A disk in memory under SQLite that forgets, fails and stops as real ones do, decided by a seed.
//
// The first disk that is made becomes part of SQLite's default VFS: a file whose path begins with the folder of a disk lies on that disk,
// every other one where it always did. One disk belongs to one thread.
#ifndef STOCKGATE_FAULT_VFS_H
#define STOCKGATE_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fault_disk fault_disk;

/// What an operation on a file is, for failures and counts.
typedef enum {
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_TRUNCATE,
    FAULT_OPEN,
    FAULT_DELETE,
    /// Shared memory beside the WAL.
    FAULT_SHARE,
    /// A file is made or goes for good only when its directory was synced.
    FAULT_SYNC_DIRECTORY,
    FAULT_KINDS
} fault_kind;

typedef struct {
    /// Operations done or refused since the disk was made; a stop is set by this number.
    uint64_t operations;
    /// Injected, by fault_kind.
    uint64_t failures[FAULT_KINDS];
    uint64_t stops;
    uint64_t power_cuts;
    uint64_t kills;
    uint64_t full;
    /// Pieces of at most 512 bytes that were written, not synced, and lost; and those that were found all the same.
    uint64_t sectors_lost;
    uint64_t sectors_kept;
    /// Names that a power cut took back, made or removed.
    uint64_t names_reverted;
    /// Files whose cached content went after a failed sync.
    uint64_t evictions;
    /// Files that were made as long as they were to be, ahead of what is written to them.
    uint64_t lengthened;
} fault_counts;

/// - folder: absolute, without a slash at its end; not a folder of another disk.
/// Returns NULL when SQLite or the memory does not allow it.
fault_disk *fault_disk_create(const char *folder, uint64_t seed);

/// All connections must be closed.
void fault_disk_destroy(fault_disk *disk);

/// The machine stops before the operation with this number (fault_counts.operations + 1 is the next one): it and all later ones fail
/// until the disk is started again. 0: no stop.
void fault_disk_stop_before(fault_disk *disk, uint64_t operation);

/// Stops now.
void fault_disk_stop(fault_disk *disk);

bool fault_disk_is_stopped(const fault_disk *disk);

/// Starts again after a power cut: what was not synced is there, lost or torn. Open files stay dead.
void fault_disk_cut_power(fault_disk *disk);

/// Starts again after only the process was killed: everything that was written is there. Open files stay dead.
void fault_disk_kill(fault_disk *disk);

/// Lets operations of a kind fail: after `after` good ones, `times` in a row.
void fault_disk_fail(fault_disk *disk, fault_kind kind, uint32_t after, uint32_t times);

/// Takes back every failure that has not happened yet.
void fault_disk_heal(fault_disk *disk);

/// Leaves so many bytes free from now on; negative: as many as you like.
void fault_disk_limit(fault_disk *disk, int64_t free_bytes);

/// Takes up space for something that lies beside the database. Returns false when there is not so much.
bool fault_disk_take(fault_disk *disk, int64_t bytes);
void fault_disk_give(fault_disk *disk, int64_t bytes);

/// Makes the names in the folder durable. Returns false when that fails.
bool fault_disk_sync_directory(fault_disk *disk);

/// Takes a file away by its name, as from outside.
void fault_disk_remove(fault_disk *disk, const char *path);

/// Writes a file once more as it is read, and syncs it. Returns false when that failed; a file that is not there is no failure.
bool fault_disk_write_again(fault_disk *disk, const char *path);

typedef enum { FAULT_LENGTH_DONE, FAULT_LENGTH_MORE, FAULT_LENGTH_REFUSED } fault_length;

/// Appends a piece of zeros to a file that is to have so many bytes, behind the block in which it ends, and syncs it; not where less than
/// four times as much as is missing is free.
fault_length fault_disk_lengthen(fault_disk *disk, const char *path, int64_t length);

fault_counts fault_disk_counts(const fault_disk *disk);

#endif
