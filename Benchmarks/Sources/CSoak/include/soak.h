#ifndef SOAK_H
#define SOAK_H

#include <stdint.h>

/// Readers of the R2000 "A0" family on pseudo-terminals, all served by one thread.
typedef struct soak_load soak_load;

/// Opens `count` (at most 64) pseudo-terminals and links them as `folder`/reader-0 and on. NULL with errno set.
soak_load *soak_load_create(const char *folder, int count);

/// Serves commands and reports 1,000 reads a second for each reader until `soak_load_stop`; blocks.
/// `frames_per_write`: 16 writes what 16 ms bring, 1 writes each frame for itself, spread over the time.
void soak_load_run(soak_load *load, int frames_per_write);

/// From another thread: finishes the rounds under way and ends the run.
void soak_load_stop(soak_load *load);

/// Tag frames written so far by all readers.
uint64_t soak_load_frames(const soak_load *load);

/// Tag frames that found the terminal full; each is a loss of the bench, not of the reader under test.
uint64_t soak_load_dropped(const soak_load *load);

/// When the first wait for a command that never came began, in readers that wait now.
int soak_load_waiting(const soak_load *load);

void soak_load_destroy(soak_load *load);

/// The peer: opens the same terminals, asks for rounds, reads, checks frames and counts tag frames, and does nothing else.
/// Runs until SIGTERM, then prints the count. The exit status of a process.
int soak_peer_main(const char *folder, int count);

#endif
