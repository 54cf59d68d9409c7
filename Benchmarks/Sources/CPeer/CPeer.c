#include "CPeer.h"

#include <stdlib.h>
#include <string.h>

// One tag: the same facts that a visit of the product's gate keeps.
typedef struct {
    uint8_t epc[62];
    uint8_t length; // 0: free
    uint8_t first_side, last_side;
    int16_t strongest[2];
    uint32_t reads[2];
    int64_t first, last;
} entry;

struct peer {
    entry *entries;
    size_t mask;
    uint64_t reads, tags, rejects;
};

peer *peer_create(size_t capacity) {
    peer *p = calloc(1, sizeof *p);
    p->entries = calloc(capacity, sizeof *p->entries);
    p->mask = capacity - 1;
    return p;
}

void peer_destroy(peer *p) {
    free(p->entries);
    free(p);
}

uint64_t peer_reads(const peer *p) { return p->reads; }
uint64_t peer_tags(const peer *p) { return p->tags; }

static uint64_t hash(const uint8_t *epc, size_t length) {
    uint64_t h = length, word;
    while (length >= 8) {
        memcpy(&word, epc, 8);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
        epc += 8;
        length -= 8;
    }
    word = 0;
    memcpy(&word, epc, length);
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 32;
}

static void tag(peer *p, const uint8_t *epc, size_t length, unsigned side, int16_t rssi, int64_t now) {
    size_t i = hash(epc, length) & p->mask;
    while (p->entries[i].length && (p->entries[i].length != length || memcmp(p->entries[i].epc, epc, length))) i = (i + 1) & p->mask;
    entry *e = &p->entries[i];
    if (!e->length) {
        memcpy(e->epc, epc, length);
        e->length = (uint8_t)length;
        e->first = now;
        e->first_side = (uint8_t)side;
        e->strongest[0] = e->strongest[1] = INT16_MIN;
        p->tags++;
    }
    e->last = now;
    e->last_side = (uint8_t)side;
    e->reads[side]++;
    if (rssi > e->strongest[side]) e->strongest[side] = rssi;
    p->reads++;
}

size_t peer_receive(peer *p, const uint8_t *bytes, size_t count, int64_t now) {
    size_t at = 0;
    while (count - at >= 2) {
        const uint8_t *f = bytes + at;
        size_t total = (size_t)f[1] + 2;
        if (f[0] != 0xA0 || total < 5) {
            p->rejects++;
            at++;
            continue;
        }
        if (count - at < total) break;
        uint8_t sum = 0;
        for (size_t i = 0; i < total; i++) sum += f[i];
        if (sum) {
            p->rejects++;
            at++;
            continue;
        }
        at += total;
        // Address, command, frequency and antenna, PC, EPC, RSSI, check: shorter frames end a round or answer a command.
        if ((f[3] != 0x89 && f[3] != 0x8A && f[3] != 0x8B) || total < 12 || total == 12) continue;
        size_t length = total - 9;
        if (length > 62) continue;
        uint8_t raw = f[total - 2];
        unsigned antenna = (f[4] & 3u) + 1 + (raw & 0x80 ? 4 : 0);
        tag(p, f + 7, length, antenna & 1, (int16_t)(((raw & 0x7F) - 129) * 100), now);
    }
    return at;
}
