// The peer of the way of a reading: parses A0 frames and keeps a table of the tags, as plain C would.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct peer peer;

// capacity: a power of two, at least twice the number of tags.
peer *peer_create(size_t capacity);
void peer_destroy(peer *peer);

// Takes bytes that came at a time in ns; returns how many of them are done with (what remains begins a frame).
size_t peer_receive(peer *peer, const uint8_t *bytes, size_t count, int64_t now);

// Good tag reads so far, and tags in the table.
uint64_t peer_reads(const peer *peer);
uint64_t peer_tags(const peer *peer);
