/* A table of digests: which lists name this MD5, SHA-1 or SHA-256? Built once, mapped by all, read without a lock.
 *
 * A section a kind of digest. Its entries are sorted by digest; the first bits of a digest choose a bucket of a few
 * entries, and within it halving finds the place: digests are spread evenly, and when a list is not what it says the
 * halving still bounds the cost. A digest on several lists has an entry for each.
 */
#ifndef MXWARD_HASHLIST_H
#define MXWARD_HASHLIST_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HASH_MAGIC 0x3153485341484D00ull /* "\0MHASHS1" */
#define HASH_KINDS 3
#define HASH_MAX_BITS 28
#define HASH_PER_BUCKET 4 /* entries of a bucket on average, at most: one cache line of SHA-256 holds two */

static const size_t hash_sizes[HASH_KINDS] = {16, 20, 32}; /* MD5, SHA-1, SHA-256 */

typedef struct {
    uint64_t magic, checksum, size; /* checksum: of what follows it; size: of the whole block, in bytes */
    uint32_t n_lists, spare;
    uint32_t n[HASH_KINDS], bits[HASH_KINDS]; /* entries of a section; its buckets are 1 << bits */
} HashHead;

typedef struct {
    const uint32_t *first;   /* (1 << bits) + 1: where the entries of a bucket begin */
    const uint32_t *lists;   /* n: the list that an entry is of */
    const uint8_t *digests;  /* n times the size of the kind */
} HashSection;

/* A validated block, in order: head, then of each kind: first, lists, digests, each padded to eight bytes. */
typedef struct {
    const HashHead *head;
    HashSection sections[HASH_KINDS];
} HashSet;

static uint64_t hash_sum(const uint8_t *data, size_t size) {
    uint64_t sum = 0x9E3779B97F4A7C15ull ^ size, word;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
        sum ^= sum >> 32;
    }
    for (word = 0; i < size; i++) word = word << 8 | data[i];
    sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
    return sum ^ sum >> 32;
}

static uint32_t hash_bits(uint64_t n) {
    uint32_t bits = 0;
    while (bits < HASH_MAX_BITS && ((uint64_t)HASH_PER_BUCKET << bits) < n) bits++;
    return bits;
}

static inline uint64_t hash_padded(uint64_t size) { return (size + 7) & ~7ull; }

static uint64_t hash_size(const HashHead *h) {
    uint64_t size = sizeof(HashHead);
    int k;
    for (k = 0; k < HASH_KINDS; k++)
        size += hash_padded(4 * ((1ull << h->bits[k]) + 1)) + hash_padded(4ull * h->n[k])
              + hash_padded((uint64_t)hash_sizes[k] * h->n[k]);
    return size;
}

static void hash_point(HashSet *set, const uint8_t *block) {
    const HashHead *h = (const HashHead *)block;
    int k;
    set->head = h;
    block += sizeof(HashHead);
    for (k = 0; k < HASH_KINDS; k++) {
        set->sections[k].first = (const uint32_t *)block;
        block += hash_padded(4 * ((1ull << h->bits[k]) + 1));
        set->sections[k].lists = (const uint32_t *)block;
        block += hash_padded(4ull * h->n[k]);
        set->sections[k].digests = block;
        block += hash_padded((uint64_t)hash_sizes[k] * h->n[k]);
    }
}

/* Every index that `hash_find` follows is checked here, once. */
static int hash_is_valid(HashSet *set, const uint8_t *block, size_t size) {
    const HashHead *h = (const HashHead *)block;
    uint64_t i;
    int k;
    if (size < sizeof(HashHead) || h->magic != HASH_MAGIC || h->size != size) return 0;
    for (k = 0; k < HASH_KINDS; k++)
        if (h->bits[k] > HASH_MAX_BITS) return 0;
    if (hash_size(h) != size || h->checksum != hash_sum(block + 16, size - 16)) return 0;
    hash_point(set, block);
    for (k = 0; k < HASH_KINDS; k++) {
        const HashSection *s = &set->sections[k];
        const uint64_t n_buckets = 1ull << h->bits[k];
        if (s->first[0] != 0 || s->first[n_buckets] != h->n[k]) return 0;
        for (i = 0; i < n_buckets; i++)
            if (s->first[i] > s->first[i + 1]) return 0;
        for (i = 0; i < h->n[k]; i++)
            if (s->lists[i] >= h->n_lists) return 0;
    }
    return 1;
}

/* A digest has sixteen bytes at least. */
static inline uint32_t hash_bucket(const uint8_t *digest, uint32_t bits) {
    const uint32_t top = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
    return bits ? top >> (32 - bits) : 0;
}

/* Where the entries of a digest of that kind begin, and how many there are. */
static uint32_t hash_find(const HashSet *set, int kind, const uint8_t *digest, uint32_t *start) {
    const HashSection *s = &set->sections[kind];
    const size_t size = hash_sizes[kind];
    const uint32_t bucket = hash_bucket(digest, set->head->bits[kind]); /* below 1 << bits */
    const uint32_t end = s->first[bucket + 1];                          /* at most n: checked */
    uint32_t low = s->first[bucket], high = end, at;
    while (low < high) {
        at = low + (high - low) / 2;
        if (memcmp(s->digests + (size_t)at * size, digest, size) < 0) low = at + 1;
        else high = at;
    }
    *start = low;
    while (high < end && memcmp(s->digests + (size_t)high * size, digest, size) == 0) high++;
    return high - low;
}

/* -- building: entries are a digest and four bytes of list, big-endian, so that one comparison sorts both */

static int hash_by_16(const void *a, const void *b) { return memcmp(a, b, 20); }
static int hash_by_20(const void *a, const void *b) { return memcmp(a, b, 24); }
static int hash_by_32(const void *a, const void *b) { return memcmp(a, b, 36); }

static void hash_put(uint8_t *entry, const uint8_t *digest, size_t size, uint32_t list) {
    memcpy(entry, digest, size);
    entry[size] = (uint8_t)(list >> 24);
    entry[size + 1] = (uint8_t)(list >> 16);
    entry[size + 2] = (uint8_t)(list >> 8);
    entry[size + 3] = (uint8_t)list;
}

/* Sort the entries and drop those that are there twice. Returns how many are left. */
static uint32_t hash_sort(uint8_t *entries, uint32_t n, int kind) {
    static int (*const orders[HASH_KINDS])(const void *, const void *) = {hash_by_16, hash_by_20, hash_by_32};
    const size_t step = hash_sizes[kind] + 4;
    uint32_t i, kept = 0;
    if (n == 0) return 0;
    qsort(entries, n, step, orders[kind]);
    for (i = 1; i < n; i++)
        if (memcmp(entries + kept * step, entries + i * step, step) != 0) {
            kept++;
            if (kept != i) memcpy(entries + kept * step, entries + i * step, step);
        }
    return kept + 1;
}

/* Fill a zeroed block whose head has n_lists, n and bits. `entries`: sorted, of each kind. */
static void hash_fill(uint8_t *block, uint8_t *const *entries) {
    HashHead *h = (HashHead *)block;
    HashSet set;
    uint32_t i;
    int k;
    h->magic = HASH_MAGIC;
    h->size = hash_size(h);
    hash_point(&set, block);
    for (k = 0; k < HASH_KINDS; k++) {
        const size_t size = hash_sizes[k], step = size + 4;
        uint32_t *first = (uint32_t *)set.sections[k].first, *lists = (uint32_t *)set.sections[k].lists;
        uint8_t *digests = (uint8_t *)set.sections[k].digests;
        const uint64_t n_buckets = 1ull << h->bits[k];
        for (i = 0; i < h->n[k]; i++) {
            const uint8_t *e = entries[k] + i * step;
            memcpy(digests + (size_t)i * size, e, size);
            lists[i] = (uint32_t)e[size] << 24 | (uint32_t)e[size + 1] << 16 | (uint32_t)e[size + 2] << 8 | e[size + 3];
            first[hash_bucket(e, h->bits[k]) + 1]++; /* a bucket is below 1 << bits */
        }
        for (i = 0; i < n_buckets; i++) first[i + 1] += first[i];
    }
    h->checksum = hash_sum(block + 16, h->size - 16);
}

/* -- reading lists of hexadecimal digests */

static inline int hash_nibble(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many hexadecimal digits begin at `at`. */
static size_t hash_digits(const uint8_t *at, const uint8_t *end) {
    const uint8_t *p = at;
    while (p < end && hash_nibble(*p) >= 0) p++;
    return (size_t)(p - at);
}

/* Turn 2 * size digits into bytes. */
static void hash_unhex(const uint8_t *digits, size_t size, uint8_t *out) {
    size_t i;
    for (i = 0; i < size; i++) out[i] = (uint8_t)(hash_nibble(digits[2 * i]) << 4 | hash_nibble(digits[2 * i + 1]));
}

#endif
